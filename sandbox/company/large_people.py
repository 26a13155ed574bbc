"""Other names, addresses, phones and links for the people of another block, so that no two blocks share a person.

A string is marked once: what differs from block to block is replaced by a mark, a character of private use. A block is
a table with the text of each mark. What was equal in the template (one address on two contacts, a phone shared by a
couple) is equal in every block, and block 0 is the template itself.
Telephone numbers of other blocks leave the ranges kept for fiction, which are too small for a million people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.company import words
from sandbox.company.cast import slug
from sandbox.company.truth import canonical

SHARED_ADDRESSES = frozenset(("noemail@example.com", "none@none.com", "test@test.com"))
"""Addresses that were typed because the form wanted one: the same in every block, as in life."""

MOST_BLOCKS = 10_000
MARK = re.compile("[\ue000-\uf8ff]")

_STYLES: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower, lambda text: text[:1])
_INITIAL = 3
_FIRST = {name: place for place, name in enumerate(words.FIRST)}
_LAST = {name: place for place, name in enumerate(words.LAST)}
_FIRSTS = (0,)
_LASTS = len(_STYLES) * len(words.FIRST)
_SECONDS = _LASTS + len(_STYLES) * len(words.LAST)
_AREAS = _SECONDS + len(_STYLES) * len(words.LAST)
_OTHERS = _AREAS + len(words.AREA_CODES)
_SUFFIX, _EXCHANGE, _LINE, _UK_SPACED, _UK_PLAIN = (chr(0xE000 + _OTHERS + number) for number in range(5))

_WORD = re.compile(r"[^\W\d_]+")
_MAIL = re.compile(r"[^\s<>:@]+@[^\s<>@]+")
_PROFILE = re.compile(r"((?:/in/|github\.com/|x\.com/)[\w-]+|^https://[\w-]+(?=\.example/portfolio))")
_US = re.compile(r"(\d{3})(\D*)555(\D*)01(?=\d\d)")


def name(text: str, *, given: str = "") -> str:
    """Mark a name in any writing; ``given`` is the first name behind a mere initial."""
    if given in _FIRST and re.match(rf"{given[0]}\. ", text):
        return _mark(len(_STYLES) * _FIRST[given] + _INITIAL) + _surnames(text[1:])
    first = _WORD.search(text)
    if first is None:
        return text
    return text[: first.start()] + _marked(first.group(), _FIRST, _FIRSTS) + _surnames(text[first.end() :])


def email(text: str) -> str:
    """Mark an address, however written (``mailto:``, with a name, with spaces or capitals)."""
    found = _MAIL.search(text)
    if found is None or canonical(text) in SHARED_ADDRESSES:
        return text
    local, _, domain = found.group().partition("@")
    head, plus, tail = local.partition("+")
    before = name(text[: found.start()]) if "<" in text else text[: found.start()]
    return f"{before}{name(head)}{_SUFFIX}{plus}{tail}@{domain}{text[found.end() :]}"


def phone(text: str) -> str:
    """Mark a phone number in any writing."""
    text = text.replace("7700 900", _UK_SPACED).replace("7700900", _UK_PLAIN)
    return _US.sub(lambda match: f"{_area(match[1])}{match[2]}{_EXCHANGE}{match[3]}{_LINE}", text)


def link(text: str) -> str:
    """Mark a profile link; other addresses stay."""
    return _PROFILE.sub(lambda match: _path(match.group()) + _SUFFIX, text)


def strings(names: list[str], emails: list[str], phones: list[str], links: list[str]) -> dict[str, str]:
    """Every string that tells who a person is, with its marks.

    The first of ``names`` is the person's own; the others are how their contacts write it.
    """
    given = (names[0].split() or [""])[0]
    found = {text: name(text, given=given) for text in names}
    found |= {f"{slug(text)}-cv": f"{name(slug(text))}-cv" for text in names}
    found |= {text: email(text) for written in emails for text in (written, canonical(written))}
    found |= {text: phone(text) for text in phones}
    found |= {text: link(text) for text in links}
    return {text: marked for text, marked in found.items() if text.strip() and text != marked}


def table(block: int) -> list[str]:
    """The text of each mark in a block, by its number."""
    firsts = [words.FIRST[(place + block) % len(words.FIRST)] for place in range(len(words.FIRST))]
    pairs = [_surnames_of(place, block) for place in range(len(words.LAST))]
    lasts, seconds = [one for one, _ in pairs], [two for _, two in pairs]
    n_areas = len(words.AREA_CODES)
    areas = [str(words.AREA_CODES[(place + 10 * ((block + 1) // 100 % 5)) % n_areas]) for place in range(n_areas)]
    high, low = (f"{block // 100:02d}", f"{block % 100:02d}")
    others = ["", "555", "01", "7700 900", "7700900"]
    if block:
        line = f"{(block + 1) % 100:02d}"
        others = [f"-{block}", str(555 + (block + 1) // 500), line, f"78{high} {low}0", f"78{high}{low}0"]
    return [style(text) for text in firsts + lasts + seconds for style in _STYLES] + areas + others


def told(marked: str, texts: list[str]) -> str:
    """A marked string in the block of a table."""
    return MARK.sub(lambda match: texts[number(match.group())], marked)


def number(mark: str) -> int:
    """The number of a mark."""
    return ord(mark) - 0xE000


def _surnames_of(place: int, block: int) -> tuple[str, str]:
    """A surname in a block and the second one behind it: one alone would not tell enough people apart.

    They are two marks, so that the texts of all tables are few and stay at hand.
    """
    if block == 0:
        return words.LAST[place], ""
    n = len(words.LAST)
    one = (place + 17 * block) % n
    return words.LAST[one], f"-{words.LAST[(one + 1 + (7919 * block + 31 * place) % (n - 1)) % n]}"


def _mark(number: int) -> str:
    return chr(0xE000 + number)


def _marked(word: str, places: dict[str, int], starts: tuple[int, ...]) -> str:
    """The marks of a word of a list, in its writing; a word that is not in the list stays."""
    place = places.get(word.capitalize())
    if place is None:
        return word
    style = next(style for style in range(_INITIAL) if _STYLES[style](word.capitalize()) == word)
    return "".join(_mark(start + len(_STYLES) * place + style) for start in starts)


def _surnames(text: str) -> str:
    return _WORD.sub(lambda match: _marked(match.group(), _LAST, (_LASTS, _SECONDS)), text)


def _path(text: str) -> str:
    """The path of a profile with its names marked."""
    head, slash, tail = text.rpartition("/")
    return head + slash + name(tail)


def _area(code: str) -> str:
    """The area of a number: a template uses at most ten areas and a hundred lines in each."""
    return _mark(_AREAS + words.AREA_CODES.index(int(code)))
