"""Free texts of Lever (tags, sources) in decision tables, which are kept in git: personal ones are not shown.

Somebody may have typed an e-mail address or a phone number into a tag. Such a row goes by a hash of its text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MASK = "[masked]"
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'@@﹫]+[@@﹫][^\s<>()\[\],;:\"'@@﹫]+")
_NUMBER = re.compile(r"\+?\(?\d(?:[\s().,/+_–—-]*\d){6,}")
"""At least seven digits, with nothing but marks of punctuation between them."""


def masked(text: str) -> str:
    """The text with every e-mail address, and every number as long as a phone number, masked."""
    return _NUMBER.sub(MASK, _ADDRESS.sub(MASK, text))


_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-z]*"
_RETYPED = re.compile(
    rf"(?=.*\d)[\d\s.,:/()%+\-eE$€£]*|true|false|{_MONTH}[\s./\-]*\d+|\d+[\s./\-]*{_MONTH}(?:[\s./\-]*\d+)?|\s.*|.*\s",
    re.IGNORECASE | re.DOTALL,
)
"""What a spreadsheet takes for a number, a date or a truth value, and saves in another form ("3-4", "MARCH1")."""


def row_id(text: str) -> str:
    """The id of the row that decides about a text: the text itself, or a hash.

    Hashed is what is personal, and what a spreadsheet would change when somebody saves the table: its verdict would
    belong to no row any more.
    """
    if masked(text) == text and not _RETYPED.fullmatch(text):
        return text
    return "text:" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def by_row_id(texts: Iterable[str]) -> dict[str, str]:
    """{id of the row: text}: the way back from a table to Lever's texts."""
    return {row_id(text): text for text in texts}
