"""What leaves the process: log lines that say who and where, error reports without data."""

import io
import json
import logging
import logging.config
import uuid
from types import SimpleNamespace

import pytest
from django.utils.functional import SimpleLazyObject

from crm_platform.kernel import tenancy
from crm_platform.ops import sentry
from crm_platform.ops.logging import configuration, request_in_hand

COMPANY = tenancy.Scope(id=uuid.UUID(int=5), schema="t_five", role="t_five", slug="five")


def written(form, act):
    """What a fresh handler of `form` writes while `act(logger)` runs."""
    stream = io.StringIO()
    settings = configuration(level="INFO", format=form)
    handler = settings["handlers"]["out"] | {"stream": stream}
    settings |= {"root": {}, "loggers": {"rapport.test": {"handlers": ["out"], "level": "INFO"}}}
    logging.config.dictConfig(settings | {"handlers": {"out": handler}, "incremental": False})
    act(logging.getLogger("rapport.test"))
    return stream.getvalue()


@pytest.fixture
def request_of_user_9():
    request = SimpleNamespace(user=SimpleNamespace(pk=9), request_id="r-1234567")
    token = request_in_hand.set(request)
    yield request
    request_in_hand.reset(token)


def test_a_json_line_names_company_user_and_request(request_of_user_9):
    with tenancy.choose(COMPANY):
        line = json.loads(written("json", lambda log: log.info("deal %s moved", 4, extra={"n": 1})))

    assert line["message"] == "deal 4 moved"
    assert line["company"] == str(COMPANY.id)
    assert (line["user"], line["request_id"], line["n"]) == ("9", "r-1234567", 1)
    assert (line["level"], line["logger"]) == ("INFO", "rapport.test")


def test_a_json_line_outside_a_company_names_none():
    with tenancy.choose(tenancy.PLATFORM):
        line = json.loads(written("json", lambda log: log.info("swept")))

    assert line["company"] is None


def test_a_json_line_keeps_one_error_on_one_line():
    def fail(log):
        try:
            int("first\nsecond")
        except ValueError:
            log.exception("failed")

    assert "ValueError" in json.loads(written("json", fail))["exc_info"]


def test_a_text_line_is_for_people(request_of_user_9):
    line = written("text", lambda log: log.warning("slow"))

    assert line.rstrip().endswith("rapport.test: slow [user=9 request_id=r-1234567]")


def test_a_log_line_never_asks_who_the_user_is():
    def ask():
        raise AssertionError("the log asked the database")

    token = request_in_hand.set(SimpleNamespace(user=SimpleLazyObject(ask), request_id="r-1"))
    try:
        assert json.loads(written("json", lambda log: log.info("early")))["user"] is None
    finally:
        request_in_hand.reset(token)


def test_a_report_keeps_where_it_broke_and_drops_everybody_s_data():
    frame = {"filename": "deals.py", "lineno": 3, "function": "move", "vars": {"name": "王小明"}}
    error = {"type": "IntegrityError", "value": "Key (mail)=(wang@example.com)"}
    error["stacktrace"] = {"frames": [frame]}
    event = {
        "level": "error",
        "exception": {"values": [error]},
        "request": {
            "method": "POST",
            "url": "https://acme.rapport.test/deals/4?q=wang",
            "data": {"phone": "0912345678"},
            "cookies": {"session": "secret"},
            "headers": {"Authorization": "Bearer secret"},
        },
        "user": {"email": "wang@example.com"},
        "breadcrumbs": {"values": [{"message": "wang"}]},
        "extra": {"row": "wang"},
        "contexts": {"trace": {"data": "wang"}},
        "logentry": {"message": "wang", "params": ["wang"]},
        "tags": {"release": "1", "customer": "wang"},
    }

    with tenancy.choose(COMPANY):
        kept = sentry.scrub(event)

    said = json.dumps(kept, ensure_ascii=False)
    assert not [word for word in ("wang", "王小明", "0912345678", "secret") if word in said]
    assert kept["exception"]["values"][0]["stacktrace"]["frames"][0]["lineno"] == 3
    assert kept["request"] == {"method": "POST", "url": "https://acme.rapport.test/deals/4"}
    assert kept["tags"] == {"release": "1", "company": str(COMPANY.id)}
