"""feedback_forms.csv and feedback_fields.csv: which Ashby form takes a Lever form, which of its fields a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from lib.mapping import feedback_fields, target
from lib.mapping.book import Book
from lib.mapping.catalog import Question
from lib.mapping.feedback_fields import SCORES, TEXT, Key
from lib.mapping.model import FeedbackForm, FormField, Place
from lib.mapping.source import Reader
from lib.mapping.target import Option

NOTE = "note"
Forms = Mapping[str, FeedbackForm | None]


def forms(book: Book, reader: Reader) -> dict[str, FeedbackForm | None]:
    """{template: the form that takes it, None for notes}."""
    items = {item["id"]: item for item in reader.ashby("feedback_forms")}
    options = target.options(items.values(), label="title")
    made: dict[str, FeedbackForm | None] = {}
    for line, row, verdict in book.decided("feedback_forms"):
        made[row["id"]] = None
        if verdict.casefold() == NOTE:
            continue
        form_id = book.pick("feedback_forms", line, verdict, options=options, what="feedback form")
        if form_id:
            form = target.feedback_form(items[form_id])
            if target.text_field(form) is None:
                book.problem("feedback_forms", line, f"the form {form.title!r} has no text field for the feedback.")
            made[row["id"]] = form
    return made


def places(book: Book, chosen: Forms, found: Mapping[Key, Question]) -> dict[Key, Place]:
    """{question: the field of its form that takes it}; questions that stay in the text alone are left out."""
    given = {row["id"]: (line, verdict) for line, row, verdict in book.decided("feedback_fields")}
    open_ids = {row["id"] for _, row in book.rows("feedback_fields") if row["id"] not in given}
    made = {}
    for key, form, fields in _questions(chosen, found):
        row_id = feedback_fields.field_id(form, key)
        if row_id not in given:
            if row_id not in open_ids:  # an open row is named as such already
                book.missing("feedback_fields", row_id, n_records=found[key].n_records)
            continue
        line, verdict = given[row_id]
        if verdict.casefold() == TEXT:
            continue
        options = [Option(one.path, one.title) for one in fields]
        path = book.pick("feedback_fields", line, verdict, options=options, what=f"fitting field of {form.title!r}")
        picked = next((one for one in fields if one.path == path), None)
        if picked is not None:
            made[key] = Place(
                picked, _values(book, form, key, found[key], picked=picked, given=given, open_ids=open_ids)
            )
    return made


def _questions(chosen: Forms, found: Mapping[Key, Question]) -> Iterator[tuple[Key, FeedbackForm, list[FormField]]]:
    """Questions that a field of their form can take, with those fields."""
    for key in sorted(found):
        form = chosen.get(key[0])
        if form and (fields := feedback_fields.fitting(form, found[key].types)):
            yield key, form, fields


def _values(
    book: Book,
    form: FeedbackForm,
    key: Key,
    question: Question,
    *,
    picked: FormField,
    given: Mapping[str, tuple[int, str]],
    open_ids: Set[str],
) -> dict[str, Any]:
    """{value, case-folded: what Ashby stores}: as it stands, or as a person says; those of the text are left out."""
    if not feedback_fields.takes_own_values(picked):
        return {}
    made: dict[str, Any] = {}
    for folded, text in question.options.items():
        row_id = feedback_fields.value_id(form, key, picked, folded)
        stored = feedback_fields.as_it_stands(question, picked, text)
        if stored is not None:
            made[folded] = stored
        elif row_id in given:
            line, verdict = given[row_id]
            if verdict.casefold() != TEXT:
                made[folded] = _stored(book, line, verdict, picked)
        elif question.values[folded] and row_id not in open_ids:
            book.missing("feedback_fields", row_id, n_records=question.values[folded])
    return made


def _stored(book: Book, line: int, verdict: str, picked: FormField) -> str | int:
    """What Ashby stores for the value that a verdict names; a problem is noted where there is none."""
    if picked.type != "Score":
        labels = [Option(str(value), picked.labels[folded]) for folded, value in picked.options.items()]
        return book.pick("feedback_fields", line, verdict, options=labels, what=f"value of {picked.title!r}")
    stored = feedback_fields.score_of(verdict)
    if stored is None:
        book.problem(
            "feedback_fields", line, f"{verdict!r} is no score; one of: {', '.join(map(str, SCORES))}, {TEXT}."
        )
    return stored or ""
