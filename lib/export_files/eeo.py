"""Answers on equal opportunity and diversity (EEO), and of surveys: how they are known, and how they are left out.

They are told by the words of a place, of a column, or of an attribute. What is left out waits for somebody's word like
everything else: a scorecard with a question on diversity must not vanish as if it were such an answer.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import lru_cache
from typing import Any

NEVER = "EEO or diversity: never read"
SPEAKS = re.compile(
    r"\b(gender|sex|race|ethnicity|ethnic|hispanic|latin[aox]|veterans?|disability|disabilities|disabled|transgender"
    r"|sexual orientation|eeoc?\d*|ofccp|pronouns|religion|diversity|protected class|surveys?|demographics?)\b"
)
LAW = re.compile(r"\b(eeoc?\d*|ofccp)\b")
ASKING = re.compile(r"\b(surveys?|responses?|answers?|monitoring|questionnaires?|statistics)\b")
PERSON = frozenset({
    "gender", "sex", "race", "ethnicity", "ethnic", "hispanic", "latina", "latino", "latinx", "veteran",
    "veterans", "disability", "disabilities", "disabled", "transgender", "sexuality", "pronouns", "religion",
})  # fmt: skip
"""What somebody is: a title of nothing else, but for the words of a question, is an answer and no mark of a form."""
QUESTION = frozenset({
    "a", "am", "an", "and", "any", "are", "as", "background", "best", "candidate", "describe", "describes", "do",
    "got", "group", "have", "how", "i", "id", "identification", "identify", "identity", "in", "is", "of", "or",
    "origin", "please", "preferred", "protected", "s", "select", "self", "status", "the", "these", "what", "which",
    "with", "you", "your", "yourself",
})  # fmt: skip
PLACE = frozenset({
    "all", "csv", "data", "export", "files", "json", "latest", "lever", "non", "consideration", "support",
})  # fmt: skip


def words(text: str) -> str:
    """The words of a title, of the name of an attribute, or of a part of a place, in lower case."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return re.sub(r"[^0-9a-z]+", " ", apart.casefold()).strip()


@lru_cache(maxsize=2_000)
def speaks(title: str) -> bool:
    """Whether a column or an attribute speaks of it, by any word."""
    return SPEAKS.search(words(title)) is not None


@lru_cache(maxsize=2_000)
def bare(title: str) -> bool:
    """Whether a question asks for it and for nothing else: "Gender", "Do you have a disability?"."""
    found = set(words(title).replace("sexual orientation", "sexuality").split()) - QUESTION
    return bool(found) and found <= PERSON


def named(relative: str) -> bool:
    """Whether a place says that it holds such answers: by the law's words, or as a survey on diversity and such."""
    return any(map(_is_named, os.path.splitext(relative)[0].split("/")))


def _is_named(part: str) -> bool:
    text = words(part)
    found = {word for word in text.split() if not word.isdigit()}
    of_diversity = "diversity" in found and (bool(ASKING.search(text)) or found <= PLACE | {"diversity"})
    return of_diversity or LAW.search(text) is not None


def take_out(item: Any) -> Counter[str]:
    """Take such attributes out of an object, at any depth; returns how often each had a value."""
    found: Counter[str] = Counter()
    waiting = [item]
    while waiting:  # no recursion: what comes from a dump may be nested deep
        one = waiting.pop()
        if isinstance(one, dict):
            for name in [name for name in one if speaks(name)]:
                found[name] += one.pop(name) not in (None, "", [], {})
            one = one.values()
        waiting += [inner for inner in one if isinstance(inner, dict | list)]
    return +found
