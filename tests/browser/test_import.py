"""A file comes in through the browser, and the screens in Chinese."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import prefer, sign_in

ROWS = """姓名,公司,職稱,電子郵件,電話
張惠美,宏遠科技股份有限公司,採購經理,mei@hongyuan.example,02-2766-1234
李國強,宏遠科技股份有限公司,總經理,,02-2766-5678
,宏遠科技股份有限公司,無名氏,x@hongyuan.example,
王大同,新光貿易,業務,not-a-mail,04-2222-3333
"""


def test_import_a_big5_file_see_what_will_happen_run_it_and_read_the_report(owner, stack, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_bytes(ROWS.encode("big5"))
    owner.goto(stack.company("/contacts/"))
    owner.get_by_role("button", name="More actions").click()
    owner.get_by_role("link", name="Import").click()
    owner.set_input_files("input[type=file]", file)
    owner.get_by_role("button", name="Read the file").click()

    expect(owner.locator("main")).to_contain_text("張惠美")
    owner.get_by_role("button", name="Check the first rows").click()
    expect(owner.locator("main")).to_contain_text("not-a-mail")
    owner.locator("main .btn.primary").last.click()

    expect(owner.locator("main")).to_contain_text(
        re.compile("failed", re.IGNORECASE), timeout=30_000
    )
    owner.reload()
    report = owner.locator("main").inner_text()
    assert "mail address" in report
    with owner.expect_download() as download:
        owner.locator("a[href$='failed.csv']").click()
    failed = download.value.path().read_text(encoding="utf-8-sig")
    assert "not-a-mail" in failed
    assert "張惠美" not in failed

    owner.goto(stack.company("/search/?q=惠美"))
    expect(owner.locator("#hits")).to_contain_text("張惠美")
    owner.goto(stack.company("/search/?q=661234"))
    expect(owner.locator("#hits")).to_contain_text("張惠美")


@pytest.mark.parametrize(
    ("language", "board", "deal"), [("zh-hant", "看板", "商機"), ("zh-hans", "看板", "商机")]
)
def test_the_day_in_chinese(page, stack, language, board, deal):
    sign_in(page, stack)
    prefer(page, stack, "auto", language)
    page.goto(stack.company("/deals/board/"))
    assert page.locator("html").get_attribute("lang") == language
    expect(page.locator(".head-a .seg")).to_contain_text(board)
    expect(page.locator(".head-a")).to_contain_text(deal)
    names = re.compile("Harbour|Northwind|Maple|Solano|Talk about the next step")
    english = re.compile(r"\b(the|and|your|with|this|no next step|open|weighted)\b", re.IGNORECASE)
    for path in ("/", "/deals/board/", "/contacts/", "/deals/1/", "/tasks/", "/settings/people/",
                 "/settings/pipelines/", "/import/contact/", "/help/"):  # fmt: skip
        page.goto(stack.company(path))
        words = page.locator(".page").inner_text()
        left = [line for line in words.splitlines() if english.search(line)]
        assert [line for line in left if not names.search(line)] == []
    prefer(page, stack, "auto", "en")
