"""What companies' people read of a release: the shipped files, what a release takes of them."""

import re

import opencc
import pytest

from crm_platform.identity.roles import ABILITIES, SYSTEM_ROLES, audiences_of
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict
from tenants.upgrades import building, notes, queries, running, services, whats_new
from tenants.upgrades.models import Release
from tests.conftest import NOON
from tests.test_translations import FOREIGN
from tests.upgrades.conftest import again, company_at
from tests.upgrades.test_releases import clock

GOOD = """
[en]
all = ["New."]
[zh-hant]
all = ["新的。"]
[zh-hans]
all = ["新的。"]
"""


def test_every_shipped_file_can_be_told():
    assert notes.shipped(), "Nothing is shipped: this test would prove nothing"


@pytest.mark.parametrize(
    ("language", "script", "words"),
    [("zh-hant", "s2tw", FOREIGN["zh_Hant"]), ("zh-hans", "tw2s", FOREIGN["zh_Hans"])],
)
def test_shipped_chinese_is_of_its_own_side_of_the_strait(language, script, words):
    convert = opencc.OpenCC(script).convert
    said = [s for f in notes.shipped().values() for part in f[language].values() for s in part]

    assert [s for s in said if convert(s) != s] == []
    assert [(w, s) for w in words.split() for s in said if re.search(w, s)] == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[zh-hans]", "[zh-sg]", "the languages are"),
        ("[zh-hans]\nall", "[zh-hans]\nadmin", "do not say the same"),
        ('all = ["New."]', 'boss = ["New."]', "which is none of"),
        ('all = ["New."]', 'all = ["New.", "More."]', "do not say the same"),
        ('all = ["New."]', 'all = [" "]', "empty or longer"),
        ('all = ["New."]', f'all = ["{"x" * 301}"]', "empty or longer"),
        ('all = ["New."]', 'all = "New."', "no list"),
        ('all = ["New."]', "all = [", "test.toml"),
    ],
)
def test_damaged_file_is_refused_with_its_name_and_fault(tmp_path, old, new, fault):
    file = tmp_path / "test.toml"
    file.write_text(GOOD)
    assert notes.read(file)["en"] == {"all": ["New."]}
    assert old in GOOD

    file.write_text(GOOD.replace(old, new, 1))

    with pytest.raises(notes.Damaged, match=f"test.toml.*{fault}|{fault}"):
        notes.read(file)


def ship(monkeypatch, **files):
    monkeypatch.setattr(notes, "shipped", lambda: {
        name: {code: {"all": [text]} for code in ("en", "zh-hant", "zh-hans")}
        for name, text in files.items()
    })  # fmt: skip


def test_release_tells_each_file_once(ledger, monkeypatch):
    ship(monkeypatch, a="First.")
    first = building.build_release(version="r1", at=NOON)
    company = company_at(first)
    with pytest.raises(Conflict, match="Nothing changed"):
        building.build_release(version="r2", at=NOON)

    ship(monkeypatch, a="First.", b="Second.")
    second = building.build_if_needed(version="r2", at=NOON)

    assert (first.notes["en"], first.told) == ({"all": ["First."]}, ["a"])
    assert (second.notes["en"], second.told, second.steps) == ({"all": ["Second."]}, ["b"], [])
    services.plan_release(version="r2", at=NOON)
    services.start(version="r2", at=NOON)
    assert running.work(version="r2", clock=clock, any_hour=True).upgraded == 1
    assert again(company).release == "r2"
    assert again(second).state == Release.State.DONE
    assert building.build_if_needed(version="r3", at=NOON).version == "r2"


def test_company_is_told_of_its_release_and_those_before_it_only(ledger, monkeypatch):
    ship(monkeypatch, a="First.")
    building.build_release(version="r1", at=NOON)
    ship(monkeypatch, a="First.", b="Second.")
    building.build_release(version="r2", at=NOON)
    whats_new.forget()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for version in ("r1", "r2", "none", ""):
            whats_new.learn(version)
        assert queries.told() == {"a", "b"}

    assert [told.version for told in whats_new.told_at("r1")] == ["r1"]
    assert [told.version for told in whats_new.told_at("r2")] == ["r2", "r1"]
    assert whats_new.told_at("none") == whats_new.told_at("") == ()
    assert whats_new.newest_for("r2", ("all",)) == "r2"
    assert whats_new.newest_for("r2", ("admin",)) == ""


def test_reader_of_another_language_falls_back_to_english():
    told = whats_new.Told("r", NOON, {"en": {"all": ["Yes."]}, "zh-hant": {"all": ["是。"]}})

    assert told.sentences("all", "zh-hant") == ["是。"]
    assert told.sentences("all", "zh-hans") == ["Yes."]
    assert told.sentences("admin", "en") == []


@pytest.mark.parametrize(
    ("key", "abilities", "reads"),
    [
        ("owner", ABILITIES, ("all", "owner", "admin")),
        ("admin", ABILITIES, ("all", "admin")),
        ("viewer", (), ("all", "viewer")),
        ("custom-1", ABILITIES, ("all", "admin")),
        ("custom-1", SYSTEM_ROLES[2].abilities, ("all", "manager")),
        ("custom-1", (*SYSTEM_ROLES[3].abilities, "fields.manage"), ("all", "member")),
        ("support-read", ("audit.view",), ("all", "viewer")),
    ],
)
def test_role_reads_what_is_meant_for_it(key, abilities, reads):
    assert audiences_of(key, abilities) == reads
