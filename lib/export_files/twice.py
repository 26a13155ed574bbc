"""One form in several tables: the same once more, a part of it in each, or otherwise; never every answer twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

Item = dict[str, Any]
Row = tuple[str, int, Item]
ABOUT = ("title", "form", "interview", "panel", "created", "completed")
"""What the rows of one form say of the form itself."""


@dataclass
class Form:
    """The rows that a form is made of; those that say nothing else, and those that do, table by table."""

    rows: list[Row]
    alike: list[Row] = field(default_factory=list)
    otherwise: list[list[Row]] = field(default_factory=list)


def form_of(rows: list[Row], place: Callable[[str], str]) -> Form:
    """The form that some rows of one key are, by file and line; `place` of a file is where it lies.

    Of several files the one that says most stands; of these, one that says when, and then the last by its place.
    Another one that asks something else and contradicts nothing is the rest of the form: exports come in parts.
    """
    tables = [list(found) for _, found in groupby(rows, key=lambda row: row[0])]
    order = sorted(tables, key=lambda one: (_is_dated(one), len(_said(one)), place(one[0][0])), reverse=True)
    form = Form(order[0])
    for other in order[1:]:
        if _said(other) <= _said(form.rows):
            form.alike += other
        elif _is_rest(other, form.rows):
            form.rows = sorted(form.rows + _more(other, form.rows), key=lambda row: (place(row[0]), row[1]))
        else:
            form.otherwise.append(other)
    return form


def _is_dated(rows: list[Row]) -> bool:
    return any(isinstance(rows[0][2].get(name), int) for name in ("created", "completed"))


def _answers(rows: list[Row]) -> Iterator[tuple[str, str]]:
    """(question, answer) of all rows."""
    for _, _, row in rows:
        if row.get("question"):
            yield str(row["question"]), str(row.get("answer") or "")
        yield from ((str(question), str(answer)) for question, answer in row.get("answers") or [])


def _about(rows: list[Row], names: tuple[str, ...]) -> dict[str, set[str]]:
    """{attribute: its values} of those that are told."""
    found = {name: {str(row[name]) for _, _, row in rows if row.get(name) not in (None, "")} for name in names}
    return {name: values for name, values in found.items() if values}


def _said(rows: list[Row]) -> set[tuple[str, ...]]:
    """All that some rows say, as far as it becomes part of a form."""
    about = _about(rows, (*ABOUT, "rating"))
    told = {(name, value) for name, values in about.items() for value in values}
    return told | {("answer", *pair) for pair in _answers(rows)}


def _is_rest(other: list[Row], rows: list[Row]) -> bool:
    """Whether other rows are a further part of a form: more questions, and nothing that contradicts it."""
    asked, more = _by_question(rows), _by_question(other)
    names = ABOUT if asked and more else (*ABOUT, "rating")  # with questions, each row may have a rating of its own
    mine, theirs = _about(rows, names), _about(other, names)
    agreed = all(asked[question] == more[question] for question in asked.keys() & more.keys())
    return agreed and all(mine[name] == theirs[name] for name in mine.keys() & theirs.keys())


def _by_question(rows: list[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for question, answer in _answers(rows):
        found.setdefault(question, set()).add(answer)
    return found


def _more(other: list[Row], rows: list[Row]) -> list[Row]:
    """The other rows without the answers that are there already."""
    there, found = set(_answers(rows)), []
    for file, line, row in other:
        said = (str(row.get("question") or ""), str(row.get("answer") or ""))
        answers = row.get("answers") or []
        left = [(question, answer) for question, answer in answers if (str(question), str(answer)) not in there]
        if (row.get("question") and said not in there) or left or not (row.get("question") or answers):
            found.append((file, line, row | ({"answers": left} if answers else {})))
    return found
