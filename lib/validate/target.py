"""What stands in Ashby now: whole walks of the lists, cut down to what is compared."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from lib.ashby import Ashby
from lib.pool import run_all
from lib.store import dumps
from lib.validate.values import last_marker, moment, unwrapped

Item = dict[str, Any]
Progress = Callable[[int, int | None, str], None]
_MIDNIGHT = re.compile(r"(?<=^\d{4}-\d{2}-\d{2})T00:00:00(\.000)?Z$")
JOB_STATES = ["Draft", "Open", "Closed", "Archived"]
_CANDIDATE = (
    "id", "name", "createdAt", "primaryEmailAddress", "emailAddresses", "primaryPhoneNumber", "phoneNumbers",
    "socialLinks", "tags", "applicationIds", "resumeFileHandle", "fileHandles", "customFields", "source",
    "creditedToUser", "location",
)  # fmt: skip
_APPLICATION = (
    "id", "createdAt", "archivedAt", "status", "candidate", "job", "currentInterviewStage", "source", "creditedToUser",
    "archiveReason", "customFields",
)  # fmt: skip
_LISTS: dict[str, tuple[str, Item]] = {
    "candidates": ("candidate.list", {}),
    "applications": ("application.list", {}),
    "jobs": ("job.list", {"status": JOB_STATES}),
    "fields": ("customField.list", {"includeArchived": True}),
    "tags": ("candidateTag.list", {"includeArchived": True}),
    "feedback": ("applicationFeedback.list", {}),
}


@dataclass
class Target:
    """Objects of Ashby by id; feedback without its texts: values are kept as hashes, the marker in clear."""

    candidates: dict[str, Item] = field(default_factory=dict)
    applications: dict[str, Item] = field(default_factory=dict)
    jobs: dict[str, Item] = field(default_factory=dict)
    fields: dict[str, Item] = field(default_factory=dict)
    tags: dict[str, Item] = field(default_factory=dict)
    feedback: dict[str, Item] = field(default_factory=dict)

    def by_candidate(self) -> dict[str, list[Item]]:
        """Applications by the id of their candidate."""
        found: dict[str, list[Item]] = defaultdict(list)
        for one in self.applications.values():
            found[ident(one.get("candidate"))].append(one)
        return found


def read_target(ashby: Ashby, *, progress: Progress, workers: int) -> Target:
    """Walk all lists to their ends. Ashby gives no totals, so a count is a walk."""
    made, read = Target(), Counter[str]()

    def walk(name: str) -> tuple[str, dict[str, Item]]:
        endpoint, body = _LISTS[name]
        found = {str(one["id"]): _cut(name, one) for one in ashby.items(endpoint, body)}
        read[name] = len(found)
        progress(sum(read.values()), None, f"read {len(found)} {name} from Ashby")
        return name, found

    for name, found in run_all(_LISTS, walk, workers=workers):
        setattr(made, name, found)
    return made


def _cut(name: str, item: Item) -> Item:
    if name == "feedback":
        return feedback_summary(item)
    keep = {"candidates": _CANDIDATE, "applications": _APPLICATION}.get(name)
    return {key: item[key] for key in keep if item.get(key) is not None} if keep else item


def feedback_summary(item: Item) -> Item:
    """One submitted feedback form: whose, which form, the hash of each value, and the marker."""
    values = item.get("submittedValues") or {}
    return {
        "id": str(item["id"]),
        "applicationId": item.get("applicationId"),
        "formId": item.get("feedbackFormDefinitionId"),
        "userId": ident(item.get("submittedByUser")),
        "values": {path: digest(value) for path, value in values.items()},
        "marker": last_marker(list(values.values())),
    }


def digest(value: Any) -> str:
    """A hash of a form answer that does not depend on how a text is wrapped or how lines end."""
    value = unwrapped(value)
    if isinstance(value, str):
        value = _MIDNIGHT.sub("", "\n".join(line.rstrip() for line in value.splitlines()).strip())
    elif isinstance(value, list):
        value = sorted(map(str, value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = float(value)
    return hashlib.sha256(dumps(value).encode()).hexdigest()[:16]


def ident(value: Any) -> str:
    """The id of an object, or "" when there is none."""
    return str(value.get("id") or "") if isinstance(value, dict) else ""


def custom_values(item: Item) -> dict[str, Any]:
    """{field id: value} of an object's custom fields."""
    return {str(one.get("id")): one.get("value") for one in item.get("customFields") or []}


def marked(item: Item, title: str, field_id: str) -> list[str]:
    """The Lever ids that an object carries in its marker field (found by id, or by title when the id is not known)."""
    for one in item.get("customFields") or []:
        if one.get("id") == field_id or (not field_id and one.get("title") == title):
            return [part.strip() for part in str(one.get("value") or "").split(",") if part.strip()]
    return []


def files_of(candidate: Item) -> list[Item]:
    """All files of a candidate, the résumé too, each once."""
    handles = [*(candidate.get("fileHandles") or []), candidate.get("resumeFileHandle") or {}]
    return list({str(one["id"]): one for one in handles if one.get("id")}.values())


def fingerprint(name: Any, created: Any) -> tuple[str, int] | None:
    """What recognises a person we made and lost sight of: name and exact moment of creation."""
    at = moment(created)
    return None if at is None else (" ".join(str(name or "").split()).casefold(), at)


def by_fingerprint(candidates: Iterable[Item]) -> dict[tuple[str, int], list[str]]:
    """Candidate ids by fingerprint."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in candidates:
        key = fingerprint(one.get("name"), one.get("createdAt"))
        if key is not None:
            found[key].append(one["id"])
    return found
