"""Lever's forms, notes and facts as plain text for people, and as notes of an Ashby candidate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lib.mapping.plan import Chain, link
from lib.mapping.source import Item, Source, clean, stamp
from lib.normalize import is_html, ms_to_iso, plain_text, split_text

_ROOM = 400
"""Characters kept free for the first line's part number and the marker line."""


def field_value(field: Item) -> str:
    """The answer of one form field as text; "" when unanswered. Field types: Lever's reference, "Form fields".

    Scores are shown as they were. A type that nobody knows is shown as the text of its value.
    """
    value = field.get("value")
    if value is None or value in ("", []):
        return ""
    if field.get("type") == "scorecard":
        return _scorecard(field, value)
    shown = clean if field.get("type") == "code" else readable
    plain = "; ".join(_plain(one, shown) for one in (value if isinstance(value, list) else [value]))
    return _SHOWN.get(str(field.get("type")), lambda _field, _value, text: text)(field, value, plain)


def readable(value: Any) -> str:
    """A text of Lever for people to read: what is HTML as a whole becomes lines, everything else stays as it is.

    Lever's reference says nothing of HTML in notes and answers; pasted texts and export files may hold it.
    """
    text = clean(value)
    return plain_text(text) if is_html(text) else text


def has_html(fields: Iterable[Item]) -> bool:
    """Whether `readable` changes the answer of one of these fields, or a comment in it."""
    values = (one for item in fields if item.get("type") != "code" for one in _texts(item.get("value")))
    return any(is_html(clean(one)) for one in values)


def _texts(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [value]:
        yield one.get("comment") if isinstance(one, dict) else one


_SHOWN: dict[str, Callable[[Item, Any, str], str]] = {
    "date": lambda _, value, text: ms_to_iso(value)[:10] if isinstance(value, int) else text,
    "currency": lambda field, _, text: f"{text} {clean(field.get('currency'))}".strip(),
    "code": lambda field, _, text: f"({clean(field['language'])})\n{text}" if field.get("language") else text,
    "file-upload": lambda _, value, text: (
        f"file {clean(value.get('name'))} ({clean(value.get('id'))})" if isinstance(value, dict) else text
    ),
}


def _plain(value: Any, shown: Callable[[Any], str]) -> str:
    """A value of a type that nobody knows is shown as JSON."""
    return shown(json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value)


def _scorecard(field: Item, value: Any) -> str:
    lines = []
    for name, score, comment in skills(field | {"value": value}):
        if score is not None or comment:
            lines.append(f"- {name}: {'no score' if score is None else clean(score)}" + (comment and f" ({comment})"))
    return "\n".join(lines)


def skills(field: Item) -> Iterator[tuple[str, Any, str]]:
    """(skill, score, comment) of each line of a scorecard's answer; a skill without a name goes by its number."""
    scores = field.get("scores") or []
    names = [clean(one.get("text") if isinstance(one, dict) else one) for one in scores]
    value = field.get("value")
    for number, one in enumerate(value if isinstance(value, list) else [value]):
        name = (names[number] if number < len(names) else "") or f"score {number + 1}"
        yield (name, one.get("score"), readable(one.get("comment"))) if isinstance(one, dict) else (name, one, "")


def field_lines(fields: list[Item]) -> list[str]:
    """Each answered field as `Question: answer`; long answers start on a line of their own."""
    lines = []
    for field in fields:
        answer = field_value(field)
        if answer:
            title = clean(field.get("text")) or "(untitled field)"
            own_line = "\n" in answer or field.get("type") == "scorecard"
            lines.append(f"{title}:\n{answer}" if own_line else f"{title}: {answer}")
    return lines


def thread(note: Item, *, source: Source, posting: str) -> tuple[str, str]:
    """(first line, text) of a note with its comments."""
    fields = note.get("fields") or []
    first = fields[0] if fields else {}
    author = source.who(first.get("user") or note.get("user"))
    head = f"Lever note by {author}, {stamp(first.get('createdAt') or note.get('createdAt'))}, {posting}"
    parts = [readable(first.get("value")) + _score(first)]
    for comment in fields[1:]:
        line = f"Comment by {source.who(comment.get('user'))}, {stamp(comment.get('createdAt'))}{_score(comment)}:"
        parts.append(f"{line}\n{readable(comment.get('value'))}")
    return head, "\n\n".join(part for part in parts if part) or "(empty note)"


def _score(field: Item) -> str:
    return "" if field.get("score") is None else f" [score {clean(field['score'])}]"


def add_note(
    chain: Chain,
    lever_type: str,
    lever_id: str,
    *,
    marker: str,
    head: str,
    text: str,
    created_ms: int,
    private: bool,
    limit: int,
    part: str = "",
) -> int:
    """Append one note (several when it is longer than `limit`); returns the number of parts. Marker line last.

    `part` ends the row id, before the number of the part.
    """
    parts = split_text(text, max(limit - _ROOM - len(head), _ROOM // 4)) or [""]
    for number, piece in enumerate(parts, 1):
        several = f" {number}/{len(parts)}" if len(parts) > 1 else ""
        first = head + (f" (part{several})" if several else "")
        value = "\n".join(line for line in (first, piece, f"[{marker}{several}]") if line)
        body = {
            "candidateId": link(f"candidate:{chain.person}"),
            "note": {"type": "text/plain", "value": value},
            "sendNotifications": False,
            "createdAt": ms_to_iso(created_ms),
        }
        if private:
            body["isPrivate"] = True
        end = "/".join(text for text in (part, several.strip().replace("/", "-")) if text)
        chain.add("candidate.createNote", lever_type, lever_id, body=body, part=end)
    return len(parts)


def as_named(text: str, there: str, former: Mapping[str, Sequence[str]]) -> str:
    """`text` with each user under the name that `there`, what stands of it, has: an earlier one of `former`.

    `former` is {a user as notes name them: as notes named them when they were called otherwise}.
    """
    for now, before in former.items():
        if now in text and now not in there:
            text = text.replace(now, next((one for one in before if one in there), now))
    return text
