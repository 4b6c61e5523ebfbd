"""From a stranger's form to an open company, whatever is sent."""

import datetime as dt
import re
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from crm_platform.identity.client import Client as Place
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, TooMany
from crm_platform.signup import services
from crm_platform.signup.guesses import currency_choices
from crm_platform.signup.models import SignUp
from tenants import queries
from tenants import services as tenants
from tenants.models import Company
from tests.conftest import NOON, unique

PASSWORD = "correct horse battery"
HERE = Place(ip="203.0.113.7")


def facts(**values):
    return {
        "company_name": "台北科技股份有限公司",
        "slug": f"taipei-{unique()}",
        "name": "王小明",
        "email": f"{unique()}@example.com",
        "password": PASSWORD,
        "language": "zh-hant",
        "time_zone": "Asia/Taipei",
        "currency": "TWD",
        **values,
    }


def ask(**values):
    place = Place(ip=f"2001:db8:{unique()[:4]}::1")
    return services.request_signup(**{"client": place, "at": NOON, **facts(**values)})


def public():
    return Client(headers={"host": "testserver"})


def link_of(email):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        body = OutgoingMail.objects.filter(to=email).latest("pk").body
    return re.search(r"http://testserver[^/]*(/sign-up/\S+)", body).group(1)


def test_whole_way_from_form_to_signed_in_owner(database, broker):
    sent = facts()
    client = public()
    answer = client.post("/sign-up/", sent)
    assert sent["email"] in client.get(answer.headers["Location"]).content.decode()
    link = link_of(sent["email"])
    assert "form" in client.get(link).content.decode()
    progress = client.post(link).headers["Location"]
    assert "progress" in client.get(progress).content.decode()
    (build,) = [rung.given for rung in broker.take() if rung.name.endswith("build_company")]

    tenants.build(company_id=UUID(build["company_id"]), at=timezone.now())
    address = client.get(progress).headers["Location"]

    host = f"{sent['slug']}.testserver"
    assert address.startswith(settings.ENVIRONMENT.address_of(host))
    there = Client(headers={"host": host})
    path = "/" + address.split("/", 3)[3]
    assert there.get(path).headers["Location"] == "/welcome/"
    assert there.get("/me/").status_code == 200
    assert Client(headers={"host": host}).get(path).status_code == 422
    with tenancy.unit_of_work(queries.scope_of_host(host)):
        owner = User.objects.get()
        assert (owner.name, owner.role.key, owner.language) == ("王小明", "owner", "zh-hant")
        assert owner.check_password(PASSWORD)


def test_visit_of_a_mail_scanner_begins_nothing(database, broker):
    sent = facts()
    public().post("/sign-up/", sent)

    public().get(link_of(sent["email"]))

    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not Company.objects.filter(slug=sent["slug"]).exists()


def test_link_opened_twice_makes_one_company(platform_unit):
    sign_up = ask()
    token = services.mail_token(sign_up)

    first = services.confirm(token=token, slug="", at=NOON)
    second = services.confirm(token=token, slug="other-name", at=NOON)

    assert first.company_id == second.company_id
    assert Company.objects.filter(slug=sign_up.slug).count() == 1


def test_link_is_refused_after_a_day_and_when_made_up(platform_unit):
    token = services.mail_token(ask())

    for wrong, at in ((token, NOON + dt.timedelta(hours=24)), ("x" * 64, NOON), ("", NOON)):
        with pytest.raises(Invalid):
            services.confirm(token=wrong, slug="", at=at)


def test_form_sent_twice_is_one_request(platform_unit):
    sent = facts()
    for _ in range(2):
        services.request_signup(**sent, client=HERE, at=NOON)

    assert SignUp.objects.filter(email=sent["email"]).count() == 1


def test_name_taken_meanwhile_asks_for_another_and_goes_on(platform_unit):
    one, other = ask(slug="wanted-name"), ask(slug="wanted-name")
    services.confirm(token=services.mail_token(one), slug="", at=NOON)

    with pytest.raises(Invalid) as refusal:
        services.confirm(token=services.mail_token(other), slug="", at=NOON)
    made = services.confirm(token=services.mail_token(other), slug="second-choice", at=NOON)

    assert refusal.value.field == "slug"
    assert made.company.slug == "second-choice"


def test_page_of_a_name_taken_meanwhile_asks_for_another(platform_unit):
    one, other = ask(slug="wanted-page"), ask(slug="wanted-page")
    services.confirm(token=services.mail_token(one), slug="", at=NOON)
    path = f"/sign-up/confirm/{services.mail_token(other)}/"
    SignUp.objects.filter(pk=other.pk).update(expires_at=dt.datetime(2999, 1, 1, tzinfo=dt.UTC))

    answer = public().post(path)

    assert answer.status_code == 422
    assert "Another company has this address name" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_name", ""),
        ("company_name", "x" * 121),
        ("slug", "www"),
        ("slug", ""),
        ("slug", "a/../b"),
        ("slug", "acme"),
        ("name", "   "),
        ("email", "not a mail"),
        ("email", "a@b.c\nBcc: evil@example.com"),
        ("password", "short"),
        ("password", "password123"),
        ("language", "xx"),
        ("time_zone", "Mars/Base"),
        ("currency", "ZZZ"),
        ("currency", ""),
        ("company_name", "nul\x00byte"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(platform_unit, acme, field, value):
    sent = facts(**{field: value})
    answer = public().post("/sign-up/", sent)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert SignUp.objects.filter(slug=sent["slug"]).count() == 0


def test_hostile_names_are_shown_as_text(platform_unit):
    sign_up = ask(company_name="<script>alert(1)</script>", name='"><img src=x onerror=1>')

    page = public().get(f"/sign-up/sent/{sign_up.pk}/").content.decode()
    confirm = public().get(f"/sign-up/confirm/{services.mail_token(sign_up)}/").content.decode()

    for text in (page, confirm):
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_mail_carries_nothing_a_stranger_wrote_but_the_address_name(platform_unit):
    sign_up = ask(company_name="Buy at evil.example now", name="Visit evil.example")

    body = OutgoingMail.objects.get(to=sign_up.email).body

    assert "evil.example" not in body
    assert sign_up.slug in body


def test_mails_to_one_address_are_few(platform_unit):
    email = "often@example.com"
    for number in range(4):
        ask(email=email, slug=f"often-{number}-{unique()}")

    with pytest.raises(TooMany):
        ask(email=email)


def test_sending_again_sends_the_same_link_and_is_throttled(platform_unit):
    sign_up = ask()
    for _ in range(3):
        services.send_again(sign_up_id=sign_up.pk, client=HERE, at=NOON)

    bodies = set(OutgoingMail.objects.filter(to=sign_up.email).values_list("body", flat=True))
    assert len(bodies) == 1
    with pytest.raises(TooMany):
        services.send_again(sign_up_id=sign_up.pk, client=HERE, at=NOON)


def test_password_is_kept_as_a_hash_and_forgotten_after_confirming(platform_unit):
    sign_up = ask()
    assert PASSWORD not in sign_up.password

    services.confirm(token=services.mail_token(sign_up), slug="", at=NOON)

    assert SignUp.objects.get(pk=sign_up.pk).password == ""


def test_progress_page_makes_the_company_where_no_worker_does(database, broker):
    sign_up = None
    with tenancy.unit_of_work(tenancy.PLATFORM):
        sign_up = ask(at=timezone.now() - dt.timedelta(minutes=1))
        token = services.mail_token(sign_up)
        services.confirm(token=token, slug="", at=sign_up.created_at)

    first = public().get(f"/sign-up/progress/{token}/", headers={"hx-request": "true"})
    second = public().get(f"/sign-up/progress/{token}/", headers={"hx-request": "true"})

    assert first.status_code == 200
    assert "/enter/" in second.headers["HX-Redirect"]


def test_live_check_answers_in_words(platform_unit, acme):
    def check(value):
        return public().get("/sign-up/address/", {"value": value}).json()

    assert check("brand-new-name") == {"ok": True, "text": "This address is free."}
    assert [check(value)["ok"] for value in ("acme", "www", "台北", "", "a b", "x" * 500)] == [
        False
    ] * 6


def test_public_sign_in_leads_to_the_companys_own_host(platform_unit, acme):
    found = public().post("/sign-in/", {"slug": " ACME "})
    missing = public().post("/sign-in/", {"slug": "nobody-here"})

    assert found.headers["Location"] == settings.ENVIRONMENT.address_of(acme.host) + "/sign-in/"
    assert missing.status_code == 422
    for hostile in ("evil.example/", "evil.example#", "x@evil.example", "//evil.example"):
        assert public().post("/sign-in/", {"slug": hostile}).status_code == 422


@pytest.mark.parametrize(
    ("accepted", "time_zone", "currency"),
    [
        ("zh-TW,zh;q=0.9", "Asia/Taipei", "TWD"),
        ("en-GB", "Europe/London", "GBP"),
        ("zh-Hans-CN", "Asia/Shanghai", "CNY"),
        ("", "UTC", "USD"),
        ("tlh;;,,-", "UTC", "USD"),
    ],
)
def test_form_begins_with_a_guess_of_place(platform_unit, accepted, time_zone, currency):
    page = Client(headers={"host": "testserver", "accept-language": accepted}).get("/sign-up/")

    form = page.content.decode()
    assert f'value="{time_zone}" selected' in form
    assert f'value="{currency}" selected' in form


def test_currencies_have_names_in_the_pages_language():
    from django.utils import translation

    with translation.override("zh-hant"):
        assert dict(currency_choices())["TWD"] == "TWD · 新台幣"
