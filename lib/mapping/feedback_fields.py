"""feedback_fields.csv: which field of the Ashby form takes which question of a Lever form, and what its scale becomes.

The whole feedback stands in the form's text field in any case; here is decided what fills fields of their own. A scale
is never rescaled: a value goes as it stands, or where a person says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from lib.mapping.catalog import SCALED, Question, answered, count_question
from lib.mapping.fields import MismatchError, chosen, convert
from lib.mapping.model import FeedbackForm, FormField, Place
from lib.mapping.render import field_value, skills
from lib.mapping.shown import masked, row_id
from lib.mapping.source import Item, clean
from lib.mapping.suggest import Rows, row, suggest
from lib.mapping.target import SPECIAL, Option, text_field

TEXT: Final = "text"
"""The verdict of a question, or of a value, that stays in the text alone."""
SCORES: Final = (1, 2, 3, 4)  # Ashby's reference: a Score is {"score": 1..4}
_TEXTS: Final = ("text", "dropdown", "multiple-choice", "score-system", "university", "yes-no")
_FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "String": _TEXTS,
    "LongText": ("text", "textarea", "code", "scorecard", "multiple-select"),
    "Boolean": ("yes-no",),
    "Number": ("score",),
    "Score": ("score", "score-system", "dropdown", "multiple-choice"),
    "Date": ("date",),
    "Currency": ("currency",),
    "Url": ("text",),
    "ValueSelect": ("dropdown", "multiple-choice", "score-system", "score", "yes-no", "multiple-select"),
    "MultiValueSelect": ("multiple-select", "dropdown", "multiple-choice"),
}
"""{type of an Ashby field: types of Lever fields whose answers it can take}."""
_NO: Final = re.compile(r"\b(no|not|never|none|reject|decline|weak|poor|bad|below)\b", re.IGNORECASE)
_AS_THERE: Final = (
    "the number that it begins with; all four begin with 1 to 4, as in Ashby: look there whether 4 is the best, too"
)
"""Ashby's reference gives the numbers of a Score, and not which end is the best: so never sure."""
Key = tuple[str, str]
"""(template, question case-folded)"""


def asked(feedback: Item) -> Iterator[Item]:
    """The fields of a feedback; each skill of a scorecard is a question of its own as well."""
    for item in feedback.get("fields") or []:
        yield item
        if item.get("type") == "scorecard":
            for name, score, _ in skills(item):
                yield {"type": "score", "text": f"{clean(item.get('text'))}: {name}", "value": score}


def count(found: dict[Key, Question], template: str, feedback: Item) -> None:
    """Count the answered questions of one feedback in {key: Question}."""
    for item in asked(feedback):
        text = clean(item.get("text"))
        if answered(item) and text:
            count_question(found, (template, text.casefold()), feedback, item)


def fitting(form: FeedbackForm, types: Collection[str]) -> list[FormField]:
    """The fields of a form that can take the answers of a question of these types of Lever."""
    target = text_field(form)
    return [
        one
        for one in form.fields
        if set(types) & set(_FITTING.get(one.type, ()))
        and one.path != (target.path if target else "")
        and not (one.title.casefold() in SPECIAL and one.type in ("String", "LongText"))
    ]


def field_id(form: FeedbackForm, key: Key) -> str:
    """The id of a question's row."""
    return f"{form.ashby_id}/{key[0]}/{row_id(key[1])}"


def value_id(form: FeedbackForm, key: Key, picked: FormField, value: str) -> str:
    """The id of the row of one value of a question in the field that is picked: in another one it is another."""
    return f"{field_id(form, key)}/{picked.path}={row_id(value)}"


def rows(found: Mapping[Key, Question], forms: Mapping[str, FeedbackForm], verdicts: Mapping[str, str]) -> Rows:
    """A row per question that a field of its form can take, and per value that such a field does not have as it stands.

    `forms` is {template: form}, by verdict or else by proposal; `verdicts` is {row id: verdict} so far.
    """
    made = []
    for key in sorted(key for key in found if key[0] in forms):
        question, form = found[key], forms[key[0]]
        fields = fitting(form, question.types)
        if not fields:
            continue
        guess = _guess(question, fields)
        about = {
            "type": "/".join(sorted(question.types)),
            "ashby_form": form.title,
            "ashby_field": "",
            "scale": _scale(question),
        }
        picked = _named(verdicts.get(field_id(form, key), "") or guess[0], fields)
        about |= {"ashby_scale": ashby_scale(picked) if picked else ""}
        label = masked(f"{question.form}: {question.text}")
        made.append(row(field_id(form, key), label, *guess, question.n_records, **about))
        if picked and takes_own_values(picked):
            made += _values(key, question, form, picked, about=about)
    return made


def _values(key: Key, question: Question, form: FeedbackForm, picked: FormField, *, about: dict[str, str]) -> Rows:
    """A row per value that the picked field does not have as it stands."""
    made = []
    for folded, text in question.options.items():
        if as_it_stands(question, picked, text) is None:
            label = masked(f"{question.form}: {question.text} = {text}")
            guess = _guess_value(question, picked, text)
            more = about | {"ashby_field": picked.title}
            made.append(row(value_id(form, key, picked, folded), label, *guess, question.values[folded], **more))
    return made


def _named(verdict: str, fields: Sequence[FormField]) -> FormField | None:
    """The one field that a verdict names, by path or title."""
    found = [one for one in fields if verdict.casefold() in (one.path.casefold(), one.title.casefold())]
    return found[0] if len(found) == 1 else None


def _guess(question: Question, fields: Sequence[FormField]) -> tuple[str, str, str]:
    same = [one for one in fields if one.title.casefold() == question.text.casefold()]
    whole = [one for one in fields if one.type == "Score" and one.title.casefold() == "overall rating"]
    picked = same[0] if len(same) == 1 else None
    reason, sure = "a field of the same title", "high"
    if picked is None and "score-system" in question.types and len(whole) == 1:
        picked, reason = whole[0], "the rating of the whole; a Lever form has one"
    if picked is None:
        return TEXT, "no field of this title; all answers are in the text of the feedback", "high"
    if picked.type == "ValueSelect" and question.n_several:
        n = question.n_several
        reason = f"{reason}; {n} of {question.n_records} answers name several values and stay in the text"
        sure = "medium"
    name = picked.title if picked.title.casefold() != TEXT else picked.path  # the title is a word of this table
    return name, reason, sure


def _guess_value(question: Question, picked: FormField, text: str) -> tuple[str, str, str]:
    if picked.type != "Score":
        guess = suggest(text, [Option(label, label) for label in picked.labels.values()], fallback=TEXT)
        return guess if guess[0] == TEXT or guess[2] == "high" else (TEXT, f"{guess[0]!r} is like it", "low")
    labels = {label[:1]: label for label in question.options.values()}
    digits = re.match(r"([1-4])\b(?![.,/]\d)", text)
    if digits and sorted(labels) == ["1", "2", "3", "4"] and len(question.options) == len(SCORES):
        worst, best = (bool(_NO.search(labels[digit])) for digit in "14")
        if best and not worst:
            return TEXT, "4 seems to be the worst here; a number says what it is in Ashby", "low"
        return digits[1], _AS_THERE, "medium"
    return TEXT, "its scale is not Ashby's 1 to 4, and is not rescaled; a number here says otherwise", "medium"


def as_it_stands(question: Question, picked: FormField, text: str) -> str | int | None:
    """What a field that takes its own values stores for a Lever value that it has as well; None where it has not.

    A number is a score as it stands only in a Lever field of type score, whose scale is 1 to 4 (its reference): on
    another scale, or in a list of choices, 4 may be anything.
    """
    if picked.type != "Score":
        return picked.options.get(text.casefold())
    is_score = question.types == {"score"} and set(question.options) <= {str(one) for one in SCORES}
    return score_of(text) if is_score else None


def score_of(text: str) -> int | None:
    """The score that a text is, None where it is none."""
    return int(text) if text in [str(one) for one in SCORES] else None


def takes_own_values(picked: FormField) -> bool:
    """Whether a field takes a score or one of its options, not any text."""
    return picked.type in ("Score", "ValueSelect", "MultiValueSelect")


def ashby_scale(picked: FormField) -> str:
    """The values that a field takes, as they are shown; "" where it takes any."""
    if picked.type == "Score":
        return "; ".join(str(one) for one in SCORES)
    return "; ".join(picked.labels.values()) if takes_own_values(picked) else ""


def _scale(question: Question) -> str:
    """The values of a question in the order of its form; mere numbers in theirs."""
    values = list(question.options.values())
    shown = sorted(values, key=int) if all(one.isdecimal() for one in values) else values
    return masked("; ".join(shown)) if question.types & set(SCALED) else ""


def converted(place: Place, item: Item) -> Any:
    """The answer as the chosen field takes it; None where it has no place there."""
    picked = place.field
    if not takes_own_values(picked):
        return _plain(picked, item)
    stored = [place.values.get(clean(one).casefold()) for one in chosen(item, place.values)]
    if None in stored or (picked.type != "MultiValueSelect" and len(stored) != 1):
        return None
    if picked.type == "MultiValueSelect":
        return list(dict.fromkeys(stored))
    return {"score": stored[0]} if picked.type == "Score" else stored[0]


def _plain(picked: FormField, item: Item) -> Any:
    if item.get("type") not in _FITTING.get(picked.type, ()) or not field_value(item):
        return None
    try:
        value = convert(item, picked.type, options={})
    except MismatchError:
        return None
    if picked.type == "Number":  # Ashby's reference: a Number in a form is an integer
        return value if isinstance(value, int) else None
    return value[:10] if picked.type == "Date" else value
