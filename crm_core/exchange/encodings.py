"""Which encoding and which delimiter a text file has, by trying each and judging what comes out."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp950": "Big5 (繁體中文)",
    "gb18030": "GB18030 (简体中文)",
    "cp1252": "Western (Windows-1252)",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE = 1 << 20
BLOCK = 1 << 20
_COMMON = frozenset(
    "的一是不了在人有我他這这中大來来上國国個个到說说們们為为子和你地出道也時时年得就那要下以生會会自着去之過过家學学對对"
    "可她里裡後后小麼么心多天而能好都然沒没日於于起還还發发成事只作當当想看文無无開开手十用主行方又如前所本見见經经頭头面"
    "公司有限股份科技電电工業业商務务貿贸易國際际實实企集團团責责任服銷销售客戶户姓名話话郵邮箱地址部門门職职位經理總总"
    "台臺灣湾北京上海廣广州深圳香港高雄新竹中南東东西區区市縣县省路街號号樓楼段巷弄村鎮镇陳陈林黃黄張张李王吳吴劉刘蔡楊杨"
    "許许鄭郑謝谢郭洪曾邱廖賴赖徐周葉叶蘇苏莊庄呂吕江何蕭萧羅罗高簡简朱鍾钟施沈胡趙赵孫孙馬马丁宋曹姜康余程金華华明志"
    "建偉伟俊傑杰美麗丽淑芬雅婷怡君宗家豪冠宇承雲云海天龍龙光安永順顺興兴隆昌盛達达信誠诚德福利富源泰豐丰鴻鸿聯联合"
    "資资訊讯子機机械設设備备材料化學学生物醫医療疗藥药食品飲饮紡纺織织印刷運运輸输物流建築筑營营造金融保險险產产管理"
    "數数量價价格備备註注狀状態态階阶段類类型描述日期時间間創创更新聯络絡繫系負负員员編编碼码網网站產品訂订單单付款"
)
_PAIR_CJK = re.compile("[\u3400-\u9fff]")
_LATIN_ODD = re.compile(r"[^\x00-\x7f]")
_LATIN_FITS = re.compile(
    r"(?<=[A-Za-z])[À-ÖØ-öø-ÿŠšŽžŒœŸ]|[À-ÖØ-öø-ÿŠšŽžŒœŸ](?=[A-Za-z])|[€£©®™°’‘“”–—…«»·½²]"
)
_LEVEL_ONE: dict[str, Callable[[int, int], bool]] = {
    "cp950": lambda lead, _trail: 0xA4 <= lead <= 0xC6,
    "gb18030": lambda lead, trail: 0xB0 <= lead <= 0xD7 and trail >= 0xA1,
}
"""Where each standard keeps its everyday characters. Source: Big5 level 1, GB 2312 level 1."""


def encoding_of(path: Path) -> str:
    """The encoding of a text file, one of `ENCODINGS`."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE)
    marked = _by_mark(head) or _by_zeros(head)
    if marked:
        return marked
    if _is_utf8(path):
        return "utf-8-sig"
    scores = {name: _score(head, name) for name in ("cp950", "gb18030", "cp1252")}
    return max(scores, key=lambda name: scores[name])


def _by_mark(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return name
    return ""


def _by_zeros(head: bytes) -> str:
    """UTF-16 without a mark: the high halves of commas, digits and line ends are zero."""
    high, low = head[0::2].count(0), head[1::2].count(0)
    if max(high, low) < max(len(head) // 100, 2):
        return ""
    return "utf-16-be" if high > low else "utf-16-le"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            while block := stream.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _score(head: bytes, name: str) -> float:
    """How much `head` looks like text people wrote when it is read in that encoding; 0 to 1."""
    text = head.decode(name, "replace")
    odd = _LATIN_ODD.findall(text)
    if not odd:
        return 0.0
    broken = text.count("\ufffd") / len(odd)
    if name == "cp1252":
        return len(_LATIN_FITS.findall(text)) / len(odd) - broken
    hanzi = _PAIR_CJK.findall(text)
    if not hanzi:
        return 0.0
    everyday = sum(map(_is_everyday(name), hanzi)) / len(odd)
    common = sum(letter in _COMMON for letter in hanzi) / len(hanzi)
    return 0.5 * everyday + 0.5 * common - broken


def _is_everyday(name: str) -> Callable[[str], bool]:
    test = _LEVEL_ONE[name]

    def is_everyday(letter: str) -> bool:
        pair = letter.encode(name, "replace")
        return len(pair) == 2 and test(pair[0], pair[1])

    return is_everyday


def delimiter_of(path: Path, encoding: str) -> str:
    """The sign between cells: the one that cuts the first lines into the same number of parts."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(64 * 1024)
    lines = text.splitlines(keepends=True)[:60]
    if len(text) == 64 * 1024 and len(lines) > 1:
        lines = lines[:-1]
    scores = {sign: _evenness(lines, sign) for sign in DELIMITERS}
    best = max(scores, key=lambda sign: scores[sign])
    return best if scores[best] > 0 else ","


def _evenness(lines: list[str], sign: str) -> float:
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign) if row)
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    return 0.0 if width < 2 else count / widths.total() + min(width, 20) / 100
