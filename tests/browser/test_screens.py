"""Every screen: no accessibility finding, no sideways scroll; both themes, three languages."""

import pytest

from tests.browser.conftest import COVERED, WRITTEN_OVER, findings, prefer, sign_in

SCREENS = (
    "/", "/deals/board/", "/deals/", "/deals/1/", "/contacts/", "/contacts/1/", "/accounts/",
    "/accounts/1/", "/activities/", "/activities/1/", "/tasks/", "/inbox/", "/search/?q=harbour",
    "/contacts/new/", "/contacts/trash/", "/reports/deals-by-stage/", "/help/", "/whats-new/",
    "/import/", "/import/contact/", "/settings/company/", "/settings/people/", "/settings/teams/",
    "/settings/roles/", "/settings/pipelines/", "/settings/fields/", "/settings/tags/",
    "/settings/history/", "/settings/address/", "/settings/package/", "/settings/rehearsal/",
    "/settings/updates/", "/settings/billing/", "/settings/support/", "/standing/", "/me/",
    "/me/security/", "/me/tokens/", "/welcome/", "/api/v1/docs/", "/no-such-page/",
)  # fmt: skip
PUBLIC = ("/", "/sign-up/", "/sign-in/", "/pricing/", "/pricing/own-server/")
LOOKS = [("light", "en"), ("dark", "zh-hant"), ("light", "zh-hans"), ("dark", "en")]
DESK, PHONE = LOOKS[:2], LOOKS[2:]
"""A staff screen is looked at in both themes at each width, in three languages altogether."""


def look(context, stack, theme, language):
    """Choose theme and language as a visitor does: by cookie."""
    for host in ("harbour.localhost", "localhost", "operators.localhost"):
        context.add_cookies([
            {"name": "theme", "value": theme, "url": stack.at(host)},
            {"name": "lang", "value": language, "url": stack.at(host)},
        ])  # fmt: skip


def told(found):
    """The findings, a line each."""
    return "\n".join(f"{path} {fault}" for path, faults in found.items() for fault in faults)


@pytest.mark.parametrize(("theme", "language"), DESK)
def test_staff_screens_have_no_axe_finding(page, stack, theme, language):
    sign_in(page, stack)
    prefer(page, stack, theme, language)
    found = {}
    for path in SCREENS:
        page.goto(stack.company(path))
        if faults := findings(page):
            found[path] = faults
    prefer(page, stack, "auto", "en")

    assert found == {}, told(found)


@pytest.mark.parametrize(("theme", "language"), PHONE)
def test_phone_screens_have_no_axe_finding_and_no_sideways_scroll(phone, stack, theme, language):
    prefer(phone, stack, theme, language)
    found = {}
    for path in SCREENS:
        phone.goto(stack.company(path))
        if faults := findings(phone):
            found[path] = faults
    prefer(phone, stack, "auto", "en")

    assert found == {}, told(found)


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_public_screens_have_no_axe_finding(page, stack, theme, language):
    look(page.context, stack, theme, language)
    found = {}
    for path in PUBLIC:
        page.goto(stack.at("localhost", path))
        if faults := findings(page):
            found[path] = faults

    assert found == {}, told(found)


@pytest.mark.parametrize(("style", "count"), [("margin-left: -60px", 1), ("margin-left: 0", 0)])
def test_texts_upon_each_other_are_found(page, style, count):
    page.set_content(
        f"<main style='display: flex'><b style='width: 80px'>12,500</b>"
        f"<small style='{style}'>nothing is late</small></main>"
    )

    assert len(page.evaluate(WRITTEN_OVER)) == count


@pytest.mark.parametrize(("style", "count"), [("margin-bottom: -1em", 1), ("margin: 0", 0)])
def test_text_under_a_painted_box_is_found(page, style, count):
    page.set_content(
        f"<main><div style='position: relative; background: white; {style}'>Table</div>"
        "<p style='margin: 0'>Said below the table</p></main>"
    )

    assert len(page.evaluate(COVERED)) == count


def test_first_load_is_small(page, stack):
    """JS at most 60 KB and CSS at most 40 KB, compressed, on the heaviest screen."""
    sizes = {"script": 0, "stylesheet": 0}

    def weigh(response):
        kind = response.request.resource_type
        if kind in sizes:
            sizes[kind] += int(response.headers.get("content-length") or len(response.body()))

    sign_in(page, stack)
    context = page.context.browser.new_context(storage_state=page.context.storage_state())
    fresh = context.new_page()
    fresh.on("response", weigh)
    fresh.goto(stack.company("/deals/board/"))
    fresh.wait_for_load_state("networkidle")
    context.close()

    assert 0 < sizes["script"] <= 60 * 1024
    assert 0 < sizes["stylesheet"] <= 40 * 1024
