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


def row_id(text: str) -> str:
    """The id of the row that decides about a text: the text itself, or the hash of one that is personal."""
    if masked(text) == text:
        return text
    return "text:" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def by_row_id(texts: Iterable[str]) -> dict[str, str]:
    """{id of the row: text}: the way back from a table to Lever's texts."""
    return {row_id(text): text for text in texts}
