"""Values that Lever's reference names and no recorded answer has: the switch ``odd_values`` plants them.

Nothing is told otherwise for it: an empty list comes as null, a list of options as one text, a size not at all.
"""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

TEMPLATE = {"group": "", "stage": "", "createdAt": None}
"""What a feedback template may hold instead of null, and instead of a date (documented types)."""


def odd(kind: str, item: Record) -> Record:
    """An object as it may come, too; the very same where nothing of it has such a form.

    Of children, applications and files about half, by their ids; of templates all.
    """
    if kind == "feedback_templates":
        changed = {name: value for name, value in TEMPLATE.items() if name == "createdAt" or item[name] is None}
        return item | changed
    if kind not in ("applications", "feedback", "forms", "referrals", "files", "resumes") or not _is_chosen(item):
        return item
    if kind in ("files", "resumes"):
        return _without_size(kind, item)
    if kind == "applications":
        return _application(item) if "customQuestions" in item else item  # those that were deleted tell ids only
    fields = [_field(field) for field in item["fields"]]
    return item | {"fields": fields} if fields != item["fields"] else item


def _is_chosen(item: Record) -> bool:
    return int(item["id"][-1], 16) % 2 == 0


def _without_size(kind: str, item: Record) -> Record:
    """``size`` may be null (documented)."""
    if kind == "files":
        return item | {"size": None}
    return item | {"file": item["file"] | {"size": None}} if item["file"] else item


def _application(item: Record) -> Record:
    """``customQuestions`` is null where nothing was asked (documented: an array or null)."""
    if not item["customQuestions"]:
        return item | {"customQuestions": None}
    forms = [form | {"fields": [_field(field) for field in form["fields"]]} for form in item["customQuestions"]]
    return item | {"customQuestions": forms} if forms != item["customQuestions"] else item


def _field(field: Record) -> Record:
    """The options of a multiple-select as one text with commas (an example of the reference; lists are recorded)."""
    if field["type"] == "multiple-select" and isinstance(field.get("value"), list):
        return field | {"value": ", ".join(field["value"])}
    return field
