"""Names of people: a key to compare them by, their parts, and whether two can be one person."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from anyascii import anyascii
from nicknames import NickNamer

_TITLES: Final = re.compile("mr|mrs|ms|mx|dr|prof|professor|sir|herr|frau|dipl|ing")
# Only degrees that are nobody's name: "Ma", "Do" and "Ba" are families.
_DEGREES: Final = re.compile("phd|mba|bsc|msc|esq|cpa|pmp|cissp|cfa|mph|dds|llm|llb")
_GENERATIONS: Final = re.compile("jr|sr|junior|senior|ii|iii|iv")
_PARTICLES: Final = re.compile(
    "van|von|der|den|de|del|della|di|da|do|dos|das|la|le|el|al|bin|ibn|ben|ter|ten|af|av|zu|zur|st|san|mac|mc"
)
# How a letter is written where it cannot be typed; anyascii drops the second letter.
_LONG_FORMS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe"}
)
_ASIDE: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\"[^\"]*\"|“[^“”]*”|\B'[^']*'\B")
_NOT_WORD: Final = re.compile(r"[^0-9a-z]+")


def name_key(text: str | None) -> str:
    """Return a name or label in lower-case ASCII words with single spaces; ``""`` when no letter or digit is left."""
    if not text:
        return ""
    if text.isascii() and text.replace(" ", "").isalnum():  # most names
        return " ".join(text.lower().split())
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = anyascii("".join(c for c in text if unicodedata.category(c) not in ("So", "Sk", "Cf", "Cs")))
    return _NOT_WORD.sub(" ", text.replace("'", "").replace("`", "").lower()).strip()  # it is ASCII here


def name_keys(text: str | None) -> frozenset[str]:
    """Return every key the name may be written by: ``Müller`` is ``muller`` and ``mueller``."""
    if not text or text.isascii():
        return frozenset({name_key(text)})
    composed = unicodedata.normalize("NFC", text)
    return frozenset({name_key(composed), name_key(composed.translate(_LONG_FORMS))})


def name_parts(text: str | None) -> tuple[str, str]:
    """Return (given names, family name) as written, without titles and degrees; a single word is a given name."""
    words = _without_titles([word for word in _ordered(text or "").split() if _is_word(word)])
    while len(words) > 2 and _GENERATIONS.fullmatch(name_key(words[-1])):
        words.pop()
    if len(words) < 2:
        return " ".join(words), ""
    start = len(words) - 1
    while start > 1 and _PARTICLES.fullmatch(name_key(words[start - 1])):
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


def _is_word(text: str) -> bool:
    """Whether a letter or digit is left in its key; most need no look at each."""
    return (text.isascii() and text.isalnum()) or bool(name_key(text))


def name_generation(text: str | None) -> str:
    """Return jr, sr, ii, iii or iv where a name of three words or more ends so; else ""."""
    for words in _readings(text):
        return _split_generation(words)[0]
    return ""


def given_forms(given: str) -> frozenset[str]:
    """Return a given name (one word of a `name_key`), what it is short for, and what is short for it, in English.

    An initial has no form: it is short for everything.
    """
    if len(given) < 2:
        return frozenset()
    names = _nicknames()
    return frozenset({given, *names.nicknames_of(given), *names.canonicals_of(given)})


@cache
def _nicknames() -> NickNamer:
    return NickNamer()


def names_conflict(a: str | None, b: str | None) -> bool:
    """Tell whether two names speak against one person.

    No conflict: equal names (also transliterated, in another order, or run together), a name whose given names are
    initials of the other's, a name that leaves out middle or second family names, and a missing name. Everything
    else is a conflict: nicknames, changed surnames and junior/senior are for a person to decide.
    """
    left, right = _readings(a), _readings(b)
    if not left or not right:
        return False
    return not any(_compatible(x, y) for x in left for y in right)


def _readings(text: str | None) -> list[list[str]]:
    """Every way to read the name, as words; none when the name is missing or an address stands in its place."""
    if not text or "@" in text:
        return []
    return [_without_titles(key.split()) for key in sorted(name_keys(_ordered(text))) if key]


def _ordered(text: str) -> str:
    """Drop asides such as (she/her), and turn ``Family, Given`` round."""
    if text.replace(" ", "").isalpha():
        return text
    text = _ASIDE.sub(" ", text)
    head, comma, tail = text.partition(",")
    if not comma:
        return text
    extra = name_key(tail).split()
    generations = [word for word in extra if _GENERATIONS.fullmatch(word)]
    if all(word in generations or _DEGREES.fullmatch(word) for word in extra):
        return " ".join([head, *generations])
    return f"{tail.replace(',', ' ')} {head}"


def _without_titles(words: list[str]) -> list[str]:
    """Drop titles in front and degrees behind, as long as two words are left."""
    start, end = 0, len(words)
    while end - start > 2 and _TITLES.fullmatch(name_key(words[start])):
        start += 1
    while end - start > 2 and _DEGREES.fullmatch(name_key(words[end - 1])):
        end -= 1
    return words[start:end]


def _compatible(a: Sequence[str], b: Sequence[str]) -> bool:
    a_generation, a_words = _split_generation(a)
    b_generation, b_words = _split_generation(b)
    if a_generation != b_generation:
        return False
    if sorted(a_words) == sorted(b_words) or _same_letters(a_words, b_words):
        return True
    short, long = sorted((a_words, b_words), key=lambda words: (len(words), words))
    return _shortened(short, long) or _initials(short, long) or _initials(long, short)


def _split_generation(words: Sequence[str]) -> tuple[str, list[str]]:
    if len(words) > 2 and _GENERATIONS.fullmatch(words[-1]):
        return {"junior": "jr", "senior": "sr"}.get(words[-1], words[-1]), list(words[:-1])
    return "", list(words)


def _same_letters(a: Sequence[str], b: Sequence[str]) -> bool:
    together = {"".join(a), "".join(reversed(a))}
    return "".join(b) in together or "".join(reversed(b)) in together


def _shortened(short: Sequence[str], long: Sequence[str]) -> bool:
    """The shorter name starts with the same given name and has no word of its own."""
    rest = iter(long)
    return short[0] == long[0] and all(word in rest for word in short)


def _initials(a: Sequence[str], b: Sequence[str]) -> bool:
    """Both end with the same family name, and given names agree one by one, at least as initials."""
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-1] or len(a[-1]) < 2:
        return False
    pairs = zip(a[:-1], b[:-1], strict=False)
    return all(x == y or (1 in (len(x), len(y)) and x[0] == y[0]) for x, y in pairs)
