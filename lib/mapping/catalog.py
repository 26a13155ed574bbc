"""Every question that was ever answered in a profile form, an application or a referral, with its type and options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lib.mapping.fields import chosen
from lib.mapping.source import Item, Source, clean, ident

SCALED = ("dropdown", "multiple-choice", "multiple-select", "score-system", "score", "yes-no")
"""Types of Lever fields whose answers are values of a scale or a list."""


@dataclass
class Question:
    """One question of a form: its types, its options, and how often it was answered.

    `options` is {case-folded: text}; `values` counts them in answers, and `n_several` answers that name several.
    """

    key: str
    form: str
    text: str
    type: str
    types: set[str] = field(default_factory=set)
    options: dict[str, str] = field(default_factory=dict)
    n_records: int = 0
    values: Counter[str] = field(default_factory=Counter)
    n_several: int = 0


def forms_of(source: Source, opportunity: Item) -> Iterator[tuple[str, Item]]:
    """(kind, form) of all forms with answers: kind is `form`, `question` or `referral`; deleted ones are left out.

    A referral application repeats its referral form in `customQuestions` (its reference); it is given once, unless its
    answers are others.
    """
    for form in source.children("forms", opportunity):
        if not form.get("deletedAt"):
            yield "form", form
    seen = []
    for form in source.children("referrals", opportunity):
        seen.append(_answers(form))
        yield "referral", form
    for form in (source.application(opportunity) or {}).get("customQuestions") or []:
        is_referral = form.get("type") == "referral"
        if not (is_referral and _answers(form) in seen):
            yield ("referral" if is_referral else "question"), form


def _answers(form: Item) -> tuple[str, list[tuple[str, object]]]:
    """What makes two forms the same: their template, and each question with its answer."""
    template = ident(form.get("baseTemplateId")) or clean(form.get("text"))
    return template, [(clean(item.get("text")), item.get("value")) for item in form.get("fields") or []]


def question_key(kind: str, form: Item, item: Item) -> str:
    """The id of a question in custom_fields.csv."""
    template = ident(form.get("baseTemplateId")) or clean(form.get("text"))
    return f"{kind}:{template}:{clean(item.get('text'))}"


def answered(item: Item) -> bool:
    """Whether a form field has an answer."""
    return item.get("value") not in (None, "", [], {})


def count_questions(found: dict[str, Question], source: Source, opportunity: Item) -> None:
    """Count the answered questions of one opportunity in {key: Question}."""
    for kind, form in forms_of(source, opportunity):
        for item in form.get("fields") or []:
            if answered(item):
                count_question(found, question_key(kind, form, item), form, item)


def sorted_questions(found: dict[str, Question], source: Source) -> dict[str, Question]:
    """All questions by key, with the options that their templates name."""
    _template_options(found, source)
    return {key: found[key] for key in sorted(found)}


def count_question(found: dict[Any, Question], key: str | tuple[str, str], form: Item, item: Item) -> None:
    """Count one answered field of a form in {key: Question}."""
    kind = clean(item.get("type")) or "unknown"
    if (question := found.get(key)) is None:
        name = key if isinstance(key, str) else "/".join(key)
        question = found[key] = Question(name, clean(form.get("text")), clean(item.get("text")), kind)
    question.n_records += 1
    question.types.add(kind)
    add_options(question, item)
    if kind in SCALED:
        texts = [clean(one) for one in chosen(item, _own_options(item))]
        question.n_several += len(texts) > 1
        for text in texts:
            question.values[text.casefold()] += 1
            question.options.setdefault(text.casefold(), text)


def _own_options(item: Item) -> list[str]:
    """The options that a field names itself, case-folded."""
    options = item.get("options") or []
    return [clean(one.get("text") if isinstance(one, dict) else one).casefold() for one in options]


def add_options(question: Question | None, item: Item) -> None:
    """Add the options that a field of a form or of a template names to its question, if it is one that was answered."""
    if question is None:
        return
    for option in item.get("options") or []:
        text = clean(option.get("text") if isinstance(option, dict) else option)
        if text:
            question.options.setdefault(text.casefold(), text)


def _template_options(found: dict[str, Question], source: Source) -> None:
    for template in source.reader.all("form_templates"):
        for item in template.get("fields") or []:
            add_options(found.get(f"form:{template['id']}:{clean(item.get('text'))}"), item)
