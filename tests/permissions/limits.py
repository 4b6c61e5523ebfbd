"""Records whose every text is a secret word, and all the places where such a word may turn up."""

from collections.abc import Callable

from crm_core.registry import Field, Kind, RecordType, record_type, record_types
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tests.factories import NOON
from tests.isolation.probes import text_of
from tests.permissions.stage import Play

TEXTS = (Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL)
UNHIDEABLE = ("currency", "source_id")
Words = dict[str, str]


def fields_of(kind: RecordType) -> list[Field]:
    """The texts of a kind that a role may close, all but its title."""
    return [
        field for field in kind.fields
        if field.kind in TEXTS and field.is_editable and field.name not in UNHIDEABLE
        and field.name != kind.title_field
    ]  # fmt: skip


def _word(kind: RecordType, field: Field) -> str:
    word = f"zq{kind.name[:3]}{field.name.replace('_', '')}"[: field.max_length]
    return word.lower()


def _value(field: Field, word: str) -> str:
    if field.kind == Kind.EMAIL:
        return f"{word}@example.com"
    return f"https://{word}.example.com/" if field.kind == Kind.URL else word


def records_with_secrets(play: Play) -> dict[str, tuple[int, Words]]:
    """A record of each kind, hung on the account; texts come by an edit, so history has them."""
    made: dict[str, tuple[int, Words]] = {}
    with tenancy.unit_of_work(play.scope):
        actor = User.objects.select_related("role").get(name="Owner of team")
        kinds = sorted(record_types(), key=lambda kind: kind.name != "account")
        for kind in kinds:
            words = {field.name: _word(kind, field) for field in fields_of(kind)}
            values = {f.name: _value(f, words[f.name]) for f in fields_of(kind)}
            record = kind.create(
                values={"name": f"Secretive {kind.name}", **_links(kind, made)}, actor=actor,
                at=NOON,
            )  # fmt: skip
            kind.edit(record=record, values=values, actor=actor, at=NOON)
            made[kind.name] = (record.pk, words)
    return made


def _links(kind: RecordType, made: dict[str, tuple[int, Words]]) -> dict[str, object]:
    found: dict[str, object] = {
        field.name: made[field.target][0]
        for field in kind.fields
        if field.kind == Kind.LINK and field.target in made and field.is_editable
    }
    if kind.name == "activity":
        found["kind"] = "task"
    return found


def places_of(play: Play, kind: RecordType, pk: int, words: Words) -> dict[str, str]:
    """Every page and answer that shows a record of the kind, with all its columns asked for."""
    account = record_type("account")
    columns = ",".join(words)
    paths = {
        "the list": f"/{kind.slug}/?cols={columns}",
        "its page": f"/{kind.slug}/{pk}/",
        "the picker": f"/{kind.slug}/pick/",
        "search": f"/search/?q=Secretive {kind.name}",
        "the palette": f"/palette/?q=Secretive {kind.name}",
        "its timeline": f"/{kind.slug}/{pk}/timeline/?only=changes",
        "the trash": f"/{kind.slug}/trash/",
        "the board": "/deals/board/",
        "the tasks": "/tasks/?who=0",
        "the start page": "/",
        "the export": f"/export/{kind.name}/?cols={columns}",
    }
    if kind.name != "account":
        with tenancy.unit_of_work(play.scope):
            above = account.model._default_manager.get(name="Secretive account").pk
        paths["its company's page"] = f"/{account.slug}/{above}/"
        paths["its company's timeline"] = f"/{account.slug}/{above}/timeline/"
    for field in words:
        paths[f"the field {field}"] = f"/{kind.slug}/{pk}/field/{field}/"
        paths[f"the control of {field}"] = f"/{kind.slug}/{pk}/field/{field}/?edit=1"
    api = {
        "the API's record": f"/api/v1/{kind.slug}/{pk}/",
        "the API's list": f"/api/v1/{kind.slug}/",
    }
    shown = {}
    for name, path in paths.items():
        with play.undone():
            shown[name] = _without_path(text_of(play.page.send("GET", path)), path)
    for name, path in api.items():
        with play.undone():
            shown[name] = text_of(play.program.send("GET", path))
    return shown


def _without_path(text: str, path: str) -> str:
    return text.replace(path.lower(), "")


def page_write(play: Play, kind: RecordType, pk: int, field: str) -> bool:
    value = _changed(kind, field)
    play.page.send("POST", f"/{kind.slug}/{pk}/field/{field}/", {field: value})
    return _stored(kind, pk, field, value)


def api_write(play: Play, kind: RecordType, pk: int, field: str) -> bool:
    value = _changed(kind, field)
    path = f"/api/v1/{kind.slug}/{pk}/"
    play.program.send("PATCH", path, {field: value}, **{"if-match": "*"})
    return _stored(kind, pk, field, value)


def bulk_write(play: Play, kind: RecordType, pk: int, field: str) -> bool:
    """By the whole form of a new record: a closed field must not come in that way either."""
    value = _changed(kind, field)
    body = {"name": "Smuggled", field: value}
    if kind.name == "activity":
        body["kind"] = "task"
    play.page.send("POST", f"/{kind.slug}/new/", body)
    rows = kind.model._default_manager.filter(name="Smuggled")
    return any(getattr(row, _column(kind, field)) == value for row in rows)


def _changed(kind: RecordType, field: str) -> str:
    found = kind.field(field)
    assert found is not None
    return _value(found, "changed")


def _column(kind: RecordType, field: str) -> str:
    found = kind.field(field)
    assert found is not None
    return found.column


def _stored(kind: RecordType, pk: int, field: str, value: str) -> bool:
    row = kind.model._default_manager.get(pk=pk)
    return bool(getattr(row, _column(kind, field)) == value)


WRITES: dict[str, Callable[[Play, RecordType, int, str], bool]] = {
    "page": page_write, "api": api_write, "new record": bulk_write,
}  # fmt: skip
