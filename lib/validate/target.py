"""What stands in Ashby now: whole walks of the lists, cut down to what is compared."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from lib.ashby import Ashby, CursorExpiredError
from lib.pool import run_all
from lib.store import dumps
from lib.validate.shelf import Pairs, Scratch, Shelf
from lib.validate.values import last_marker, moment, unwrapped

Item = dict[str, Any]
Progress = Callable[[int, int | None, str], None]
_MIDNIGHT = re.compile(r"(?<=^\d{4}-\d{2}-\d{2})T00:00:00(\.000)?Z$")
PASSES = 3  # a list is begun so often when its cursor is refused half way
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


class Target:
    """Objects of Ashby by id; feedback without its texts: values are kept as hashes, the marker in clear.

    Those of people are on disk: {id: object} of candidates, applications and feedback.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self.jobs: dict[str, Item] = {}
        self.fields: dict[str, Item] = {}
        self.tags: dict[str, Item] = {}
        for name in ("candidates", "applications", "feedback"):
            self.empty(name)

    def empty(self, name: str) -> None:
        """Forget what a list has shown so far: its walk begins again."""
        if name == "candidates":
            self.candidates, self.files = Shelf(self._scratch), Pairs(self._scratch)
        elif name == "applications":
            self.applications, self._owned = Shelf(self._scratch), Pairs(self._scratch)
        elif name == "feedback":
            self.feedback, self.marks = Shelf(self._scratch), Pairs(self._scratch)
        else:
            getattr(self, name).clear()

    def put(self, name: str, items: Iterable[Item]) -> int:
        """Keep what a list showed, cut down to what is compared; returns how many there were."""
        home = getattr(self, name)
        if isinstance(home, dict):
            found = {str(one["id"]): one for one in items}
            home |= found
            return len(found)
        return home.put((str(one["id"]), self._noted(name, _cut(name, one))) for one in items)

    def _noted(self, name: str, item: Item) -> Item:
        """What must be found by something else than its id."""
        if name == "candidates":
            for file in files_of(item):
                self.files.add(str(file["id"]))
        elif name == "applications":
            self._owned.add(ident(item.get("candidate")), str(item["id"]))
        elif item["marker"]:
            self.marks.add(item["marker"], item["id"])
        return item

    def applications_of(self, candidate_id: str) -> list[Item]:
        """The applications of one candidate."""
        found = (self.applications[one] for one in self._owned.of(candidate_id))
        return [one for one in found if ident(one.get("candidate")) == candidate_id]  # merged while we walked?

    def marked_feedback(self, marker: str) -> Item | None:
        """The submitted form with this marker line."""
        found = self.marks.of(marker) if marker else []
        return self.feedback[found[-1]] if found else None


def read_target(ashby: Ashby, scratch: Scratch, *, progress: Progress, workers: int) -> Target:
    """Walk all lists to their ends. Ashby gives no totals, so a count is a walk."""
    made, read = Target(scratch), Counter[str]()

    def walk(name: str) -> str:
        for attempt in range(1, 1 + PASSES):
            try:
                for page in ashby.pages(*_LISTS[name]):
                    read[name] += made.put(name, page.results)
                    progress(sum(read.values()), None, f"reading {name} from Ashby")
                break
            except CursorExpiredError:
                if attempt == PASSES:
                    raise
                made.empty(name)
                read[name] = 0
        return name

    for name in run_all(_LISTS, walk, workers=workers):
        progress(sum(read.values()), None, f"read {read[name]} {name} from Ashby")
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


def fingerprint(name: Any, created: Any) -> str:
    """What recognises a person we made and lost sight of: name and exact moment of creation; "" without the latter."""
    at = moment(created)
    return "" if at is None else f"{at} " + " ".join(str(name or "").split()).casefold()
