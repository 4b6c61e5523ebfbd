"""Both Chinese catalogues: complete, the right script, each with its own words. No database."""

import functools
import re
from pathlib import Path
from typing import NamedTuple

import opencc
import polib
import pytest
from django.conf import settings
from django.core.management import call_command

from crm_platform.ui.management.commands.i18n import holes

HANT, HANS = "zh_Hant", "zh_Hans"
CHECKS = {HANT: "s2tw", HANS: "tw2s"}
CHARSETS = {HANT: "big5hkscs", HANS: "gb2312"}
# Brand names, formats and symbols that no language translates.
SAME = {"API", "OEM", "Rapport"}
# Languages are named in themselves, whatever the text around them.
OWN_NAMES = re.compile("繁體中文|简体中文")
HAN = re.compile(r"[\u3400-\u9fff]")
ENTITY = re.compile(r"</?\w+|&\w+;|`[^`]+`")
# Words of the other side of the strait: right script, wrong language.
FOREIGN = {
    HANT: """用戶 默認 信息 網絡 軟件 服務器 字段 導入 導出 郵箱 視圖 聯系人 密鑰 回收站 登錄 創建
        項目 屏幕""",
    HANS: """档案 网路 软体 栏位 汇入 汇出 储存 登出 登入 搜寻 检视 预设 联络人 金钥 垃圾桶 程式
        滑鼠 萤幕 笔记录 成交率""",
}


class Text(NamedTuple):
    """One translated text."""

    entry: polib.POEntry
    text: str


@functools.cache
def catalogue(language):
    path = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
    return polib.pofile(str(path))


def texts(language):
    for entry in catalogue(language):
        if not entry.obsolete:
            found = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
            yield from (Text(entry, text) for text in found)


@pytest.fixture(params=[HANT, HANS])
def language(request):
    return request.param


def test_every_catalogue_is_complete():
    call_command("i18n", "check")


def test_chinese_has_one_plural(language):
    assert catalogue(language).metadata["Plural-Forms"] == "nplurals=1; plural=0;"
    assert [
        e.msgid for e in catalogue(language) if e.msgid_plural and len(e.msgstr_plural) != 1
    ] == []


def test_nothing_is_left_in_english(language):
    bare = re.compile(r"%\(\w+\)[sd]|\{\w+\}|[\W\d_]")
    same = [
        entry.msgid
        for entry, text in texts(language)
        if text == entry.msgid and bare.sub("", text) and text not in SAME
    ]
    assert same == []


def test_placeholders_are_kept_and_can_be_filled(language):
    wrong = []
    for entry, text in texts(language):
        if holes(text) not in (holes(entry.msgid), holes(entry.msgid_plural or entry.msgid)):
            wrong.append((entry.msgid, text))
        elif "python-format" in entry.flags:
            names = re.findall(r"%\((\w+)\)", entry.msgid + (entry.msgid_plural or ""))
            assert text % dict.fromkeys(names, 7)
    assert wrong == []


def test_marks_and_code_are_kept(language):
    wrong = [
        (entry.msgid, text)
        for entry, text in texts(language)
        if sorted(ENTITY.findall(text)) != sorted(ENTITY.findall(entry.msgid))
        or text.count("**") != entry.msgid.count("**")
    ]
    assert wrong == []


def test_script_by_opencc(language):
    convert = opencc.OpenCC(CHECKS[language]).convert
    plain = [OWN_NAMES.sub("", text) for _, text in texts(language)]
    assert [(text, convert(text)) for text in plain if convert(text) != text] == []


def test_script_by_charset(language):
    """A character of the other script only is in neither charset's list."""
    strange = []
    for _, text in texts(language):
        for sign in HAN.findall(OWN_NAMES.sub("", text)):
            try:
                sign.encode(CHARSETS[language])
            except UnicodeEncodeError:
                strange.append((sign, text))
    assert strange == []


def test_words_of_the_region(language):
    found = [
        (word, text)
        for _, text in texts(language)
        for word in FOREIGN[language].split()
        if word in text
    ]
    assert found == []


def test_punctuation(language):
    quotes = "“”‘’" if language == HANT else "「」『』"
    half = re.compile(r"[\u3400-\u9fff][,;:!?]|[\u3400-\u9fff]\.(?!\w)|[,;!?][\u3400-\u9fff]")
    wrong = [
        text
        for _, text in texts(language)
        if text != text.strip() or "  " in text or half.search(text) or set(quotes) & set(text)
    ]
    assert wrong == []


def test_sentences_end_alike(language):
    """A full stop where the English has one, none where it has none."""
    wrong = [
        (entry.msgid, text)
        for entry, text in texts(language)
        if entry.msgid.endswith(".") != text.endswith("。")
    ]
    assert wrong == []
