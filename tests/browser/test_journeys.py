"""What people do all day, in the browser, start to end."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import sign_in, watch


def cards(page, stage):
    """Names of the cards in a column."""
    column = page.locator(".col").filter(has=page.locator("h2", has_text=re.compile(f"^{stage}$")))
    return column.locator(".card-t").all_inner_texts()


def test_sign_up_choose_an_industry_and_win_a_deal(page, stack, browser, operator_state):
    page.goto(stack.at("localhost", "/sign-up/"))
    page.fill("[name=company_name]", "東昇貿易有限公司")
    page.fill("[name=slug]", "rising-east")
    page.fill("[name=name]", "陳大文")
    page.fill("[name=email]", "boss@rising.example")
    page.fill("[name=password]", "correct horse battery")
    page.click("main button.primary")
    expect(page.locator("main")).to_contain_text("boss@rising.example")

    page.goto(mailed_link(browser, operator_state, stack, "boss@rising.example"))
    page.wait_for_url(re.compile(r"rising-east\.localhost.*/welcome/"), timeout=30_000)
    choice = page.locator("label.choice", has_text="Manufacturing")
    assert has_name_beside_its_button(choice)
    choice.click()
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("h1")).to_have_text("Welcome to Rapport")

    page.locator("a.choice", has_text="Add a deal").click()
    page.fill("#dialog [name=name]", "First order")
    page.fill("#dialog [name=amount]", "12,500")
    page.locator("#dialog").get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/deals/\d+/"))
    page.get_by_role("button", name="Won").click()
    expect(page.locator(".steps [data-state=won]")).to_be_visible()
    page.goto(page.url.split("/deals/")[0] + "/deals/?f=closed_at.filled.")
    expect(page.locator("#rows")).to_contain_text("First order")


def has_name_beside_its_button(choice) -> bool:
    """Whether a choice's name begins right of its button, on the same line."""
    button, name = choice.locator("input").bounding_box(), choice.locator("b").bounding_box()
    line = name["y"] <= button["y"] + button["height"] / 2 <= name["y"] + name["height"]
    return line and 0 < name["x"] - button["x"] - button["width"] < 24


def mailed_link(browser, operator_state, stack, to):
    """The link of the newest mail to somebody, from the operators' outbox page."""
    context = browser.new_context(storage_state=operator_state)
    operator = watch(context.new_page())
    for _attempt in range(40):
        operator.goto(stack.console("/mail/"))
        row = operator.locator("main a", has_text=to).first
        if row.count():
            row.click()
            break
        operator.wait_for_timeout(250)
    text = operator.locator("[data-mail]").inner_text()
    context.close()
    return re.search(r"https?://\S+", text).group(0)


def test_invited_colleague_joins_and_sees_the_board(owner, stack, browser, operator_state):
    owner.goto(stack.company("/settings/people/"))
    owner.get_by_role("link", name=re.compile("Invite")).first.click()
    owner.fill("#dialog [name=email]", "new@harbour.example")
    owner.locator("#dialog button.primary").click()
    expect(owner.locator("main")).to_contain_text("new@harbour.example")

    link = mailed_link(browser, operator_state, stack, "new@harbour.example")
    context = owner.context.browser.new_context()
    guest = watch(context.new_page())
    guest.goto(link)
    guest.fill("[name=name]", "New Colleague")
    guest.fill("[name=password]", "correct horse battery")
    guest.click("main button.primary")
    guest.goto(stack.company("/deals/board/"))
    expect(guest.locator(".me")).to_contain_text("New Colleague")
    expect(guest.locator(".card").first).to_be_visible()
    context.close()


def drag(page, card, to):
    """Drag a card with the mouse onto something."""
    box, target = card.bounding_box(), to.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 60, steps=4)
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 70, steps=12)
    return page


def test_drag_a_card_to_another_stage_and_undo(owner, stack):
    owner.goto(stack.company("/deals/board/"))
    name = cards(owner, "Qualify")[0]
    card = owner.locator(".card", has_text=name).first
    drag(owner, card, owner.locator(".col").nth(2)).mouse.up()
    expect(owner.locator(".toasts")).to_contain_text("moved to Proposal")
    owner.reload()
    assert name in cards(owner, "Proposal")

    card = owner.locator(".card", has_text=name).first
    drag(owner, card, owner.locator(".col").nth(0)).mouse.up()
    expect(owner.locator(".toasts")).to_contain_text("moved to Qualify")
    owner.locator(".toasts").get_by_role("button", name="Undo").last.click()
    expect(owner.locator(".toasts")).to_contain_text("moved to Proposal")
    owner.reload()
    assert name in cards(owner, "Proposal")


def test_dropping_a_card_on_lost_asks_for_the_reason(owner, stack):
    owner.goto(stack.company("/deals/board/"))
    card = owner.locator(".col").nth(3).locator(".card").first
    name = card.locator(".card-t").inner_text()
    drag(owner, card, owner.locator(".col").nth(3))
    zone = owner.locator(".closer.lose").bounding_box()
    owner.mouse.move(zone["x"] + 60, zone["y"] + 20, steps=8)
    owner.mouse.up()
    dialog = owner.locator("#dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_be_visible()
    dialog.locator("select[name=lost_reason]").select_option(label="Price")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_be_hidden()
    owner.goto(stack.company("/deals/?f=lost_reason.filled."))
    expect(owner.locator("#rows")).to_contain_text(name)


def test_keyboard_only_moves_a_card_and_opens_the_palette(owner, stack):
    owner.goto(stack.company("/"))
    owner.keyboard.press("g")
    owner.keyboard.press("d")
    owner.wait_for_url(re.compile("/deals/board/"))
    first = owner.locator(".col").nth(1).locator(".card a").first
    name = first.inner_text()
    first.focus()
    owner.keyboard.press("Shift+ArrowRight")
    expect(owner.locator(".toasts")).to_contain_text("moved to Proposal")
    assert name in cards(owner, "Proposal")

    owner.keyboard.press("Control+k")
    owner.keyboard.type("科技")
    expect(owner.locator("#pal-list")).to_contain_text("台北科技股份有限公司")
    owner.keyboard.press("Enter")
    owner.wait_for_url(re.compile(r"/(accounts|deals|contacts)/\d+/"))


def test_last_digits_of_a_phone_find_its_contact(owner, stack):
    owner.goto(stack.company("/search/?q=460123"))
    expect(owner.locator("#hits")).to_contain_text("Tomás Silva")


def test_edit_a_cell_in_place_refuse_and_undo(owner, stack):
    owner.goto(stack.company("/contacts/"))
    row = owner.locator("tr", has_text="Priya Raman")
    row.locator("td.c-title .cv").click()
    box = row.locator("td.c-title input[type=text]")
    box.fill("Chief buyer")
    box.press("Enter")
    expect(owner.locator("tr", has_text="Priya Raman").locator("td.c-title")).to_have_text(
        "Chief buyer"
    )
    owner.locator(".toasts").get_by_role("button", name="Undo").last.click()
    expect(owner.locator("tr", has_text="Priya Raman")).to_contain_text("Head of purchasing")
    owner.reload()
    expect(owner.locator("tr", has_text="Priya Raman")).to_contain_text("Head of purchasing")

    row = owner.locator("tr", has_text="Priya Raman")
    row.hover()
    row.locator("td.c-email .pen").click()
    box = row.locator("td.c-email input[type=email]")
    box.fill("not a mail")
    box.press("Enter")
    expect(owner.locator("[role=alert]").first).to_contain_text("not a mail address")


def test_note_and_task_appear_in_the_story(owner, stack):
    owner.goto(stack.company("/accounts/1/"))
    owner.fill("#c-body", "They asked for **samples**.")
    owner.keyboard.press("Control+Enter")
    expect(owner.locator("#timeline strong")).to_have_text("samples")

    owner.locator(".composer label", has_text="Task").click()
    owner.fill("#c-name", "Send samples")
    owner.fill("#c-day", "2030-01-15")
    owner.locator(".composer").get_by_role("button", name="Save").click()
    expect(owner.locator(".ups")).to_contain_text("Send samples")
    owner.get_by_role("checkbox", name="Done: Send samples").check()
    expect(owner.locator(".toasts")).to_contain_text("Done: Send samples")


def test_filter_save_view_and_find_it_in_the_rail(owner, stack):
    owner.goto(stack.company("/contacts/"))
    owner.get_by_role("button", name="Add filter").click()
    owner.locator(".fe input[type=search]").fill("Title")
    owner.locator(".fe .mi", has_text=re.compile("^Title$")).click()
    owner.locator(".fe input[aria-label=Title]").fill("director")
    owner.get_by_role("button", name="Apply").click()
    owner.wait_for_url(re.compile("f=title.contains.director"))
    expect(owner.locator("#sums")).to_contain_text("2 records")
    owner.get_by_role("link", name="Save this list as a view").click()
    owner.fill("#dialog [name=name]", "Directors")
    owner.locator("#dialog [name=is_pinned]").check()
    owner.locator("#dialog button.primary").click()
    expect(owner.locator(".side")).to_contain_text("Directors")


def test_tick_rows_delete_and_undo(owner, stack):
    owner.goto(stack.company("/contacts/"))
    for name in ("Grace Lau", "Noah Fraser"):
        owner.get_by_role("checkbox", name=f"Select {name}").check()
    expect(owner.locator(".bulk [data-n]")).to_have_text("2")
    owner.locator(".bulk").get_by_role("button", name="Delete").click()
    owner.locator("#confirm [data-yes]").click()
    expect(owner.locator(".toasts")).to_contain_text("2 records deleted")
    expect(owner.locator("#rows")).not_to_contain_text("Grace Lau")
    owner.locator(".toasts").get_by_role("button", name="Undo").last.click()
    expect(owner.locator(".toasts")).to_contain_text("Undone: 2")
    owner.goto(stack.company("/contacts/"))
    expect(owner.locator("#rows")).to_contain_text("Grace Lau")


def test_phone_swipes_holds_and_creates(phone, stack):
    phone.goto(stack.company("/deals/board/"))
    session = phone.context.new_cdp_session(phone)
    card = phone.locator(".card").first
    name = card.locator(".card-t").inner_text()
    box = card.bounding_box()
    x, y = box["x"] + 80, box["y"] + 50

    def touch(kind, *points):
        where = [{"x": a, "y": b} for a, b in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    touch("touchStart", (x, y))
    expect(phone.locator(".card.lift")).to_be_visible()
    for step in range(1, 12):
        touch("touchMove", (x + 24 * step, y))
    expect(phone.locator(".col.over, .col:has(.over)").first).to_be_visible()
    touch("touchEnd")
    expect(phone.locator(".toasts")).to_contain_text(name)

    phone.locator(".tab-add").tap()
    phone.locator("#create a", has_text="Contact").tap()
    phone.fill("#dialog [name=name]", "王小明")
    phone.locator("#dialog").get_by_role("button", name="Create").tap()
    phone.wait_for_url(re.compile(r"/contacts/\d+/"))
    expect(phone.locator("h1")).to_have_text("王小明")


def test_viewer_sees_and_changes_nothing(page, stack):
    sign_in(page, stack, "viewer")
    page.goto(stack.company("/deals/board/"))
    expect(page.locator(".card").first).to_be_visible()
    assert page.locator("[data-move]").count() == 0
    assert page.locator("a[href='/deals/new/']").count() == 0
    page.goto(stack.company("/settings/pipelines/"))
    expect(page.locator("main")).to_contain_text("Your role does not allow this")
