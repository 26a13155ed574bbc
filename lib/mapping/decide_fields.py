"""custom_fields.csv: which Ashby custom field takes which Lever question, and with which options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.mapping.book import NEW, Book
from lib.mapping.catalog import Question
from lib.mapping.fields import ASHBY_TYPE, SETTABLE, option_value
from lib.mapping.model import EXTRAS, MARKERS, ORIGIN, CustomField
from lib.mapping.source import Item, Reader, clean

SELECTS = ("ValueSelect", "MultiValueSelect")
_OBJECTS = ("Candidate", "Application")


def decide(
    book: Book, reader: Reader, questions: Mapping[str, Question]
) -> tuple[dict[str, str], dict[str, CustomField]]:
    """({question: note, drop or the key of a custom field}, {key: CustomField}), with the workbook's own fields."""
    existing = {
        (str(item.get("objectType")), clean(item.get("title")).casefold()): item
        for item in sorted(reader.ashby("custom_fields"), key=lambda item: not item.get("isArchived"))
    }
    made = _own_fields(book, existing)
    verdicts: dict[str, str] = {}
    labels: dict[str, dict[str, str]] = {}
    for line, row, verdict in book.decided("custom_fields"):
        if verdict.casefold() in ("note", "drop"):
            verdicts[row["id"]] = verdict.casefold()
            continue
        question = questions.get(row["id"])
        wanted = _field(book, line, row, verdict, existing=existing, question=question)
        if wanted is None or _clash(book, line, made.get(wanted.key), wanted):
            continue
        made.setdefault(wanted.key, wanted)
        verdicts[row["id"]] = wanted.key
        for folded, label in (question.options if question else {}).items():
            labels.setdefault(wanted.key, {}).setdefault(folded, label)
    for key in sorted(set(questions) - set(verdicts)):
        if not any(row["id"] == key for _, row in book.rows("custom_fields")):
            book.missing("custom_fields", key, n_records=questions[key].n_records)
    made = {key: _with_options(made[key], labels.get(key, {}), existing) for key in sorted(made)}
    return verdicts, made


def _own_fields(book: Book, existing: Mapping[tuple[str, str], Item]) -> dict[str, CustomField]:
    wanted = [(object_type, title, "String") for object_type, title in MARKERS.items()]
    wanted += [("Candidate", title, kind) for title, kind in EXTRAS.items()]
    wanted.append(("Application", ORIGIN, "String"))
    made = {}
    for object_type, title, kind in wanted:
        item = existing.get((object_type, title.casefold()))
        if item and (item.get("isArchived") or item.get("fieldType") not in ("String", "LongText")):
            book.problems.append(f"The custom field {title!r} in Ashby must be of type {kind} and not archived.")
        field = CustomField(object_type, title, kind, item["id"] if item else "")
        made[field.key] = field
    return made


def _field(
    book: Book,
    line: int,
    row: Mapping[str, str],
    verdict: str,
    *,
    existing: Mapping[tuple[str, str], Item],
    question: Question | None,
) -> CustomField | None:
    is_new = verdict.casefold().startswith(NEW)
    object_type, colon, title = (verdict[len(NEW) :] if is_new else verdict).partition(":")
    object_type, title = object_type.strip().capitalize(), title.strip()
    if not colon or object_type not in _OBJECTS or not title:
        book.problem(
            "custom_fields", line, f"{verdict!r} is none of Candidate:<title>, Application:<title>, note, drop."
        )
        return None
    if title.casefold() in {name.casefold() for name in [*MARKERS.values(), *EXTRAS, ORIGIN]}:
        book.problem("custom_fields", line, f"the field {title!r} belongs to the workbook itself.")
        return None
    item = existing.get((object_type, title.casefold()))
    if item and item.get("isArchived"):
        book.problem("custom_fields", line, f"the custom field {title!r} is archived in Ashby.")
        return None
    known = {clean(one.get("title")) for (of, _), one in existing.items() if of == object_type}
    if (
        not item
        and not is_new
        and not book.is_meant("custom_fields", line, title, known=known, what="custom field", written=verdict)
    ):
        return None
    kind = clean(item.get("fieldType")) if item else _wanted_type(row, question)
    if kind not in SETTABLE:
        book.problem("custom_fields", line, f"fields of type {kind!r} are not filled; one of: {', '.join(SETTABLE)}.")
        return None
    return CustomField(object_type, clean(item.get("title")) if item else title, kind, item["id"] if item else "")


def _wanted_type(row: Mapping[str, str], question: Question | None) -> str:
    lever = question.type if question else row.get("type", "")
    return row.get("ashby_type", "").strip() or ASHBY_TYPE.get(lever, "LongText")


def _clash(book: Book, line: int, old: CustomField | None, new: CustomField) -> bool:
    if old is None or old.ashby_type == new.ashby_type:
        return False
    book.problem(
        "custom_fields", line, f"{new.key!r} is {new.ashby_type} here, {old.ashby_type} in a line above; use one type."
    )
    return True


def _with_options(
    field: CustomField, labels: Mapping[str, str], existing: Mapping[tuple[str, str], Item]
) -> CustomField:
    """The field with all options: those of the target stay as they are, those that lack are added.

    Ashby archives every option that an update leaves out (its reference, "customField.updateSelectableValues").
    """
    if field.ashby_type not in SELECTS:
        return field
    item: Mapping[str, Any] = existing.get((field.object_type, field.title.casefold()), {})
    stands = [
        {"label": clean(one.get("label")), "value": one["value"], "isArchived": bool(one.get("isArchived"))}
        for one in item.get("selectableValues") or []
    ]
    known = {one["label"].casefold(): one["value"] for one in stands if not one["isArchived"]}
    closed = {one["label"].casefold() for one in stands} - set(known)
    new = [
        {"label": label, "value": option_value(label)}
        for folded, label in sorted(labels.items())
        if folded not in known and folded not in closed
    ]
    options = known | {one["label"].casefold(): one["value"] for one in new}
    if not field.ashby_id:
        return replace(field, options=options, create=tuple(new))
    update = (*stands, *({**one, "isArchived": False} for one in new)) if new else ()
    return replace(field, options=options, update=update)
