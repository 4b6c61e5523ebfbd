"""The public price list and comparison: readable by anybody, in any language, by any cache."""

import re

import pytest
from django.test import Client

from billing.models import Plan

PAGES = ("/pricing/", "/pricing/own-server/")


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def visitor(platform_unit):
    return Client(headers={"host": "testserver"})


def test_price_list_says_price_saving_and_sum(visitor):
    page = text_of(visitor.get("/pricing/?currency=USD&users=10&interval=year"))
    assert "US$50 per user and month" in page
    assert "16% less than twelve months" in page
    assert "US$500 per user and year × 10 users = US$5,000" in page
    assert "Saved against paying by the month US$1,000" in page
    assert "Viewers are free" in page
    assert "A trial of 14 days" in page


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-hant", "每個使用者每月 50 美元"), ("zh-hans", "每个用户每月 50 美元"),
     ("en", "US$50 per user and month")],
)  # fmt: skip
def test_price_is_said_as_people_of_the_language_say_it(visitor, language, words):
    answer = visitor.get(f"/pricing/?lang={language}&currency=USD")
    assert words in text_of(answer)
    assert answer.headers["Content-Language"] == language


def test_visitors_language_chooses_the_currency(visitor):
    answer = visitor.get("/pricing/", headers={"accept-language": "zh-TW,zh;q=0.9"})
    assert "每個使用者每月 1,600 新台幣" in text_of(answer)
    page = text_of(visitor.get("/pricing/own-server/", headers={"accept-language": "ja"}))
    assert "¥" in page


@pytest.mark.parametrize("path", PAGES)
def test_pages_set_no_cookie_and_may_be_kept_by_language_and_theme(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert not answer.cookies
    assert "csrf" not in answer.content.decode().lower()
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    for name in ("Cookie", "Accept-Language", "Host", "HX-Request"):
        assert name in answer.headers["Vary"]
    assert visitor.post(path).status_code in (403, 405)


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [("/pricing/", "users=0", "greater than or equal to 1"), ("/pricing/", "users=x", "whole"),
     ("/pricing/", "users=", "required"), ("/pricing/", "currency=XXX", "valid choice"),
     ("/pricing/", "users=1e9", "whole"), ("/pricing/", f"users={'9' * 40}", "less than or equal"),
     ("/pricing/", "interval=week", "valid choice"), ("/pricing/", "plan=nothing", "valid choice"),
     ("/pricing/own-server/", "wage=-1", "greater than or equal to 0"),
     ("/pricing/own-server/", "setup_days=a", "whole"),
     ("/pricing/own-server/", "years=0", "greater than or equal to 1"),
     ("/pricing/own-server/", "server=1.5", "whole")],
)  # fmt: skip
def test_bad_figures_are_refused_with_a_sentence(visitor, path, asked, said):
    answer = visitor.get(f"{path}?{asked}")
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert "Mend what is marked" in text_of(answer)


def test_htmx_gets_the_part_alone(visitor):
    for path, mark in zip(PAGES, ('id="prices"', 'id="compared"'), strict=True):
        answer = visitor.get(path, headers={"hx-request": "true"})
        assert mark in answer.content.decode()
        assert "<html" not in answer.content.decode()


def test_comparison_shows_both_bills_the_formula_and_where_they_cross(visitor):
    answer = visitor.get("/pricing/own-server/?currency=USD&interval=year&users=10")
    page = text_of(answer)
    assert "5 days × 8 hours × US$50 = US$2,000" in page
    assert "US$80 + US$10 + 10 hours × US$50 = US$590" in page
    assert "Renting costs US$4,080 less" in page
    assert "from 16 users on" in page  # 23,240 over three years ÷ (500 × 3), plus one
    assert "<svg" in answer.content.decode()
    dear = text_of(visitor.get("/pricing/own-server/?currency=USD&users=100"))
    assert "Your own server costs" in dear


def test_each_page_leads_to_the_other_and_to_signing_up(visitor):
    for path in ("/", "/sign-up/"):
        assert 'href="/pricing/' in visitor.get(path).content.decode()
    for path, other in zip(PAGES, reversed(PAGES), strict=True):
        page = visitor.get(path).content.decode()
        assert f'href="{other}' in page
        assert 'href="/sign-up/"' in page


def test_asked_language_stays_from_page_to_page(visitor):
    for path in PAGES:
        page = visitor.get(f"{path}?lang=zh-hant&users=7").content.decode()
        links = set(re.findall(r'href="(/pricing/[^"]*)"', page))
        assert {link for link in links if "lang=zh-hant" not in link} <= {
            link for link in links if "currency=" in link
        }
        assert f'hreflang="en" href="http://testserver{path}?lang=en&amp;users=7"' in page
    assert visitor.get("/pricing/?lang=xx").headers["Content-Language"] == "en"


def test_nothing_offered_is_said_and_no_fault(visitor):
    Plan.objects.update(is_public=False)
    for path in PAGES:
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "No plan is offered at present" in text_of(answer)


@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_once(visitor, path, django_assert_num_queries):
    visitor.get(path)
    # One query; the other two are the savepoint that the request's unit is inside the test's own.
    with django_assert_num_queries(3):
        visitor.get(path)
