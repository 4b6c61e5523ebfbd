"""An owner takes everything along: asks with the password, sees the bar, downloads."""

import zipfile

from playwright.sync_api import expect

from tests.browser.conftest import findings, prefer


def test_owner_makes_a_package_and_downloads_it(owner, stack):
    prefer(owner, stack, "auto", "en")
    owner.goto(stack.company("/settings/package/"))
    owner.get_by_label("Your password").fill("not it")
    owner.get_by_role("button", name="Make the package").click()
    expect(owner.get_by_role("alert").first).to_contain_text("not your current password")
    owner.get_by_label("Your password").fill(stack.password)
    owner.get_by_role("button", name="Make the package").click()

    link = owner.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=30_000)
    assert findings(owner) == []
    with owner.expect_download() as download:
        link.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "csv/contacts.csv" in archive.namelist()
        assert b"Harbour" in archive.read("README.txt")
    owner.reload()
    expect(owner.locator("main")).to_contain_text("downloaded 1 time")
