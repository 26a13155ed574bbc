"""What contacts have in common is found by numbers: each distinct value has one, and who has it is two columns."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.dedupe.columns import Contacts, Flags, Numbers
from lib.normalize import email_canonical, email_codes


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Values of one kind: `owner[i]` has the value `values[code[i]]`; each pair once, in order of owner and code."""

    owner: Numbers
    code: Numbers
    values: list[str]

    def of(self, owner: int) -> frozenset[str]:
        """Return the values of one owner."""
        start, end = np.searchsorted(self.owner, (owner, owner + 1)).tolist()
        return frozenset(self.values[code] for code in self.code[start:end].tolist())

    def by(self, person: Numbers) -> "Facts":
        """Return the same values with other owners: `person[owner]`."""
        owner, code = _unique(person[self.owner], self.code, len(self.values))
        return Facts(owner=owner, code=code, values=self.values)

    def shared(self) -> tuple[Numbers, Numbers, Numbers]:
        """Return (codes of several owners, starts, owners): those of code i are `owners[starts[i]:starts[i + 1]]`."""
        counts = np.bincount(self.code, minlength=len(self.values))
        some = counts[self.code] > 1
        owner, code = self.owner[some], self.code[some]
        order = np.argsort(code, kind="stable")
        codes, starts = runs(code[order])
        return codes, starts, owner[order]


def addresses_of(contacts: Contacts, hidden: Flags) -> tuple[Facts, dict[str, int]]:
    """Return the canonical e-mail addresses of contacts that are not hidden, and the number of each address.

    Texts that are no address may have a number too; nobody has it.
    """
    owner, texts = shown(contacts, "emails", hidden)
    codes, index, odd = email_codes(texts)
    code = np.array(codes, dtype=np.int64)
    if odd:
        values = list(index)
        owner, code = _mended(owner, code, index, {number: canonical_emails([values[number]])[0] for number in odd})
    owner, code = _unique(owner, code, len(index))
    return Facts(owner=owner, code=code, values=list(index)), index


def canonical_emails(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return (distinct canonical addresses in order, texts that hold no address). One text may hold several."""
    found: dict[str, None] = {}
    odd: list[str] = []
    for text in texts:
        whole = email_canonical(text)
        parts = [whole] if whole else [email_canonical(part) for part in re.split(r"[;,\s/|]+", text) if "@" in part]
        if parts and all(parts):
            found |= dict.fromkeys(part for part in parts if part)
        else:
            odd.append(text)
            found |= dict.fromkeys(part for part in parts if part)
    return list(found), odd


def shown(contacts: Contacts, name: str, hidden: Flags) -> tuple[Numbers, list[str]]:
    """Return (the contact of each text, the texts) of a column of lists, of contacts that are not hidden."""
    owner, texts = contacts.lists(name)
    if not hidden.any():
        return owner, texts
    some = ~hidden[owner]
    return owner[some], [text for text, here in zip(texts, some.tolist(), strict=True) if here]


def facts_of(owner: Numbers, values: Iterable[str | None]) -> Facts:
    """Return facts from owners and the value of each; None and "" are left out."""
    code, index = numbered(values)
    owner, code = _unique(owner[code >= 0], code[code >= 0], len(index))
    return Facts(owner=owner, code=code, values=index)


def together(mine: Facts, theirs: Facts, n: int) -> Facts:
    """Return both as one; the owners of `theirs` are numbered on from `n`."""
    if not len(theirs.owner):
        return mine
    wanted = set(theirs.values)
    index = {value: number for number, value in enumerate(mine.values) if value in wanted}
    more = [value for value in theirs.values if value not in index]
    index |= {value: len(mine.values) + number for number, value in enumerate(more)}
    code = np.array([index[value] for value in theirs.values], dtype=np.int64)[theirs.code]
    values = [*mine.values, *more]
    both = np.concatenate([mine.owner, theirs.owner + n]), np.concatenate([mine.code, code])
    owner, code = _unique(*both, len(values))
    return Facts(owner=owner, code=code, values=values)


def numbered(values: Iterable[str | None]) -> tuple[Numbers, list[str]]:
    """Return (a number for each value, the distinct values by number); None and "" have the number -1."""
    index: dict[str, int] = {}
    code = np.array([index.setdefault(value, len(index)) if value else -1 for value in values], dtype=np.int64)
    return code, list(index)


def distinct(numbers: Numbers) -> Numbers:
    """Return the distinct numbers in order. np.unique looks each up in a table first, which takes ten times as long."""
    return runs(np.sort(numbers))[0]


def runs(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return (the distinct ones of numbers in order, where each begins, and last the end)."""
    begins = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1])) if len(numbers) else np.zeros(0, np.int64)
    return numbers[begins], np.append(begins, len(numbers))


def each_once(make: Callable[[str], Any], texts: list[str]) -> list[Any]:
    """Return what `make` gives for each text; it is asked once for each distinct one."""
    made = dict.fromkeys(texts)
    for text in made:
        made[text] = make(text)
    return [made[text] for text in texts]


def _mended(
    owner: Numbers, code: Numbers, index: dict[str, int], found: dict[int, list[str]]
) -> tuple[Numbers, Numbers]:
    """Put the addresses in place of texts that hold none, one in other words, or several."""
    odd = np.isin(code, np.fromiter(found, np.int64, len(found)))
    more = [
        (person, index.setdefault(address, len(index)))
        for person, number in zip(owner[odd].tolist(), code[odd].tolist(), strict=True)
        for address in found[number]
    ]
    extra = np.array(more, dtype=np.int64).reshape(-1, 2)
    return np.concatenate([owner[~odd], extra[:, 0]]), np.concatenate([code[~odd], extra[:, 1]])


def _unique(owner: Numbers, code: Numbers, n_codes: int) -> tuple[Numbers, Numbers]:
    return np.divmod(distinct(owner * max(1, n_codes) + code), max(1, n_codes))
