"""`crm` and `make`: what they offer, and how they refuse."""

import shutil
import socket
import subprocess
import sys

import pytest

from crm_platform.ops import demo, demo_check, demo_steps
from crm_platform.ops.demo_check import Answer, Page, fault_of
from tests.ops import surroundings
from tests.ops.surroundings import ROOT


def crm(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "crm_platform", *arguments],
        env=surroundings.variables(**variables),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_crm_help_lists_its_commands():
    told = crm("--help").stdout

    for command in ("demo", "doctor", "setup-database", "web", "worker", "beat", "import"):
        assert f"crm {command}" in told


@pytest.mark.parametrize("command", ["web", "worker", "beat", "check"])
def test_a_process_without_its_variables_refuses_in_one_sentence(command):
    result = crm(command, RAPPORT_ENV="production")

    assert result.returncode == 2
    assert result.stderr.startswith("Rapport cannot start: ")
    assert "DATABASE_URL is missing" in result.stderr
    assert "Traceback" not in result.stderr


def test_crm_demo_names_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = crm("demo", "--port", str(port), RAPPORT_DATA=str(tmp_path / "data"))

    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
    assert not (tmp_path / "data").exists()


def test_crm_demo_in_production_refuses():
    result = crm("demo", RAPPORT_ENV="production")

    assert (result.returncode, "own" in result.stderr) == (2, True)


def test_crm_demo_reset_asks_first(tmp_path, monkeypatch, capsys):
    (tmp_path / "secrets.json").write_text("{}")
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setattr("builtins.input", lambda _question: "no")

    assert demo.main(["--reset", "--check"]) == 1
    assert (tmp_path / "secrets.json").exists()
    assert "Nothing was deleted" in capsys.readouterr().out


def test_crm_doctor_says_what_is_missing_and_shows_no_secret():
    result = crm(
        "doctor", RAPPORT_ENV="production", SECRET_KEY="hush", DATABASE_URL="postgres://a:hush@h/d"
    )

    assert result.returncode == 1
    assert "REDIS_URL is missing" in result.stdout
    assert "postgres://h/d" in result.stdout
    assert "hush" not in result.stdout


def test_the_steps_of_the_demo_are_named_commands():
    commands = [step.command for step in demo_steps.steps()]

    assert commands[-3:] == ["migrate_platform", "make_demo_companies", "make_demo_operator"]


def test_sign_ins_are_read_from_json_lines_only():
    output = (
        'Making Acme\n{"company": "Acme", "url": "http://a", "email": "o@a", "password": null}\n'
    )

    [entry] = demo_steps.sign_ins_in(output)

    assert entry == {
        "company": "Acme", "url": "http://a", "email": "o@a", "password": "", "second_factor": "",
    }  # fmt: skip


def test_a_page_is_as_expected_or_the_fault_is_named():
    page = Page("/deals/", contains=("<h1",))

    assert fault_of(page, Answer(200, "/deals/", "<h1>Deals</h1>")) == ""
    assert fault_of(page, Answer(500, "/deals/", "<h1>")) == "status 200"
    assert fault_of(page, Answer(200, "/deals/", "<p>")) == "the text '<h1'"
    assert fault_of(page, Answer(200, "/deals/", "<h1>{{ deal }}")) == "no '{{'"
    assert fault_of(page, Answer(200, "/sign-in/", "<h1>")) == "a page for somebody signed in"


def test_a_check_without_an_outcome_counts_no_page(tmp_path):
    assert demo_check.read_outcome(tmp_path / "never.json").pages == 0


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_lists_every_target():
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target in (
        "demo",
        "demo-check",
        "test",
        "check",
        "lint",
        "types",
        "contracts",
        "migrations",
    ):
        assert f"make {target} " in told
    for target in ("templates", "translations", "bench", "bench-%", "fmt", "clean", "help"):
        assert f"make {target} " in told
