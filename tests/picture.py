"""The end state of a move without what differs from run to run: ids, and the moments at which something was written."""

from __future__ import annotations

import json
import re
from typing import Any

Json = dict[str, Any]
MADE = {
    "id", "addedAt", "updatedAt", "submittedAt", "archivedAt", "leftStageAt", "candidateId", "jobId", "applicationIds",
    "applications", "handle", "profileUrl", "resumeFileHandle", "fileHandles", "openedAt", "closedAt", "feedback",
    "applicationHistory", "author", "submittedValues", "applicationId", "interviewId",
}  # fmt: skip
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def picture(state: Json) -> list[str]:
    """What stands in Ashby, as sorted lines that two equal moves share."""
    names = _names(state)
    lines = []
    for kind in ("candidates", "applications", "jobs", "custom_fields", "tags"):
        lines += [f"{kind}: {json.dumps(_plain(item, names, kind), sort_keys=True)}" for item in state[kind]]
    return sorted(lines)


def _names(state: Json) -> dict[str, str]:
    """Ids by what they mean: Lever ids of what we made, titles of the rest."""
    names: dict[str, str] = {}
    marks = {"candidates": "Lever contact ID", "applications": "Lever opportunity ID", "jobs": "Lever posting ID"}
    for kind, title in marks.items():
        for item in state[kind]:
            names[item["id"]] = str(item["customFields"].get(title) or item.get("name") or item.get("title") or "?")
    for kind in ("custom_fields", "tags"):
        names |= {item["id"]: item["title"] for item in state[kind]}
    return names


def _plain(value: Any, names: dict[str, str], parent: str = "") -> Any:
    if isinstance(value, dict):
        made = {"candidateId", "jobId"} & set(value)
        kept = {key: _plain(child, names, key) for key, child in value.items() if key not in MADE}
        if "createdAt" in kept and parent in ("job", "jobs"):
            del kept["createdAt"]
        if value.get("feedback"):
            kept["feedback"] = sorted(
                json.dumps([one["form"], one["answers"]], sort_keys=True) for one in value["feedback"]
            )
        return kept | {key: names.get(value[key], value[key]) for key in made}
    if isinstance(value, list):
        items = [_plain(child, names, parent) for child in value]
        return sorted(items, key=lambda one: json.dumps(one, sort_keys=True)) if parent != "history" else items
    if isinstance(value, str):
        return names.get(value, value)
    return value
