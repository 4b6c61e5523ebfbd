"""Words for the search documents and for queries: Latin words, CJK uni- and bigrams, digits.

Our own, because the embedded server has no extensions and the built-in parsers see a Chinese
name as one word. Both sides use the same cuts, so 科技 finds 台北科技股份有限公司, the last digits
of a phone find its owner, and any part of a mail address between its signs finds the person.
"""

import re
import unicodedata
from collections.abc import Iterable

from crm_core.registry import SearchTexts

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_PIECE = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_IS_CJK = re.compile(rf"[{CJK}]")
_DIGITS = re.compile(r"\d+")
_PHONE_QUERY = re.compile(r"[\d\s()+.\-/]{4,}")
MOST_WORDS = 12
LONGEST_WORD = 40
MOST_LEXEMES = 400
FEWEST_DIGITS = 3


def folded(text: str) -> str:
    """Lower case without accents and with full-width forms made plain."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def pieces(text: str) -> list[str]:
    """Runs of letters and digits; a run of CJK letters is a piece of its own."""
    return [piece[:LONGEST_WORD] for piece in _PIECE.findall(folded(text))]


def grams(run: str) -> set[str]:
    """Single letters and neighbours of a CJK run."""
    return set(run) | {run[i : i + 2] for i in range(len(run) - 1)}


def lexemes(text: str) -> set[str]:
    """What a document keeps of `text`."""
    found: set[str] = set()
    for piece in pieces(text):
        found.update(grams(piece) if _IS_CJK.match(piece) else (piece,))
    return found


def phone_lexemes(number: str) -> set[str]:
    """A phone's digits forwards, and backwards behind `~`, so that its end can be looked up too."""
    digits = "".join(_DIGITS.findall(number))
    return {digits, f"~{digits[::-1]}"} if len(digits) >= FEWEST_DIGITS else set()


def email_lexemes(address: str) -> set[str]:
    """The parts of a mail or web address between its signs."""
    return set(pieces(address))


def document(texts: SearchTexts) -> str:
    """The `tsvector` of a record, in PostgreSQL's text form; weights A title, B strong, C weak."""
    weights: dict[str, str] = {}
    groups: tuple[tuple[str, Iterable[set[str]]], ...] = (
        ("A", (lexemes(texts.title),)),
        ("B", (phone_lexemes(p) for p in texts.phones if p)),
        ("B", (email_lexemes(e) for e in texts.emails if e)),
        ("B", (lexemes(s) for s in texts.strong if s)),
        ("C", (lexemes(w) for w in texts.weak if w)),
    )
    for weight, sets in groups:
        for each in sets:
            for lexeme in each:
                weights.setdefault(lexeme, weight)
    kept = list(weights.items())[:MOST_LEXEMES]
    return " ".join(f"{_quoted(lexeme)}:1{weight}" for lexeme, weight in kept)


def _quoted(lexeme: str) -> str:
    # Pieces hold letters and digits only (and our own `~`), so there is no quote to escape.
    return f"'{lexeme}'"


def query(words: str, *, titles_only: bool = False) -> str:
    """The `tsquery` of what a person typed, in PostgreSQL's text form; empty: nothing to look for.

    Every word must be there; the Latin ones may go on (`smi` finds Smith). `titles_only` looks at
    nothing but titles: for those from whom other facts are hidden.
    """
    found: list[str] = []
    weight = "A" if titles_only else ""
    digits = "".join(_DIGITS.findall(words))
    if _PHONE_QUERY.fullmatch(words.strip()) and len(digits) >= FEWEST_DIGITS:
        return f"('{digits}':*{weight} | '~{digits[::-1]}':*{weight})"
    for piece in pieces(words)[:MOST_WORDS]:
        if _IS_CJK.match(piece):
            pairs = [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
            found += [f"{_quoted(pair)}:{weight}" if weight else _quoted(pair) for pair in pairs]
        elif piece.isdigit() and len(piece) >= FEWEST_DIGITS:
            found.append(f"('{piece}':*{weight} | '~{piece[::-1]}':*{weight})")
        else:
            found.append(f"{_quoted(piece)}:*{weight}")
    return " & ".join(dict.fromkeys(found))
