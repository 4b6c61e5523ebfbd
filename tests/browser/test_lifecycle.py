"""The owner's journeys around the company itself: its standing, its addresses, closing it."""

from tests.browser.conftest import findings, prefer, sign_in

PAGES = ("/standing/", "/settings/company/close/", "/settings/address/")


def test_owner_closes_the_company_and_takes_it_back(owner, stack):
    # Not by the trial's banner: another test rents this company.
    owner.goto(stack.company("/standing/"))
    owner.click("text=Close the company")
    owner.fill("[name=name]", "Harbour Trading")
    owner.click("button.danger")
    owner.wait_for_url("**/standing/")
    assert owner.inner_text("h1") == "Your company is closed"
    assert findings(owner) == []
    owner.goto(stack.company("/deals/"))
    assert owner.inner_text("h1") == "This company is closed"
    assert findings(owner) == []

    owner.goto(stack.company("/standing/"))
    owner.click("text=Open the company again")

    owner.wait_for_url("**/standing/")
    owner.goto(stack.company("/deals/"))
    assert "Deals" in owner.title()


def test_admin_adds_a_host_name_and_sees_what_to_publish(owner, stack):
    owner.goto(stack.company("/settings/address/"))
    owner.fill("[name=host]", "crm.harbour.example")
    owner.click("text=Add host name")
    owner.wait_for_selector("text=_rapport.crm.harbour.example")
    assert findings(owner) == []
    owner.click("section[aria-labelledby=ad-own] .list button:has-text('Remove')")
    owner.wait_for_selector("text=The host name is given back.")

    assert "_rapport.crm.harbour.example" not in owner.content()


def test_address_is_checked_while_it_is_typed(owner, stack):
    owner.goto(stack.company("/settings/address/"))
    owner.fill("[name=slug]", "admin")

    owner.wait_for_selector("text=This address name is reserved")


def test_pages_have_no_axe_finding_on_a_phone_in_the_dark_in_chinese(phone, stack):
    prefer(phone, stack, "dark", "zh-hant")
    found = {}
    for path in PAGES:
        phone.goto(stack.company(path))
        wide = phone.evaluate("document.documentElement.scrollWidth > 390")
        if faults := [*findings(phone), *(["sideways scroll"] if wide else [])]:
            found[path] = faults
    prefer(phone, stack, "auto", "en")

    assert found == {}


def test_colleague_is_told_who_can_help(page, stack):
    sign_in(page, stack, "member")
    page.goto(stack.company("/standing/"))

    assert page.get_by_text("owner@harbour.example").is_visible()
    assert findings(page) == []
