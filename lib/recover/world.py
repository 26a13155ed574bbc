"""What stands in Ashby, indexed by the marks that the load leaves: custom fields, marker lines, file names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.load.lookup import markers_in
from lib.mapping.model import MARKERS
from lib.normalize import iso_to_ms

Item = dict[str, Any]


@dataclass(frozen=True)
class Submission:
    """One submitted feedback form: its id, and the marker lines that it holds."""

    ashby_id: str
    markers: frozenset[str]


@dataclass
class World:
    """Objects of Ashby by id, and by what the load wrote on them. `field_ids` are the marker fields that are known."""

    candidates: dict[str, Item]
    applications: dict[str, Item]
    jobs: dict[str, Item]
    fields: dict[str, Item]
    tags: dict[str, Item]
    feedback: dict[str, list[Submission]] = field(default_factory=dict)
    field_ids: frozenset[str] = frozenset()
    by_contact: dict[str, list[str]] = field(init=False)
    by_opportunity: dict[str, list[str]] = field(init=False)
    by_posting: dict[str, list[str]] = field(init=False)
    by_print: dict[tuple[str, int], list[str]] = field(init=False)
    by_file: dict[str, list[str]] = field(init=False)
    by_mail: dict[str, list[str]] = field(init=False)
    of_candidate: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Build the indexes: Lever id to Ashby ids, in order of Ashby id."""
        self.by_contact = self._by_mark("Candidate", self.candidates)
        self.by_opportunity = self._by_mark("Application", self.applications)
        self.by_posting = self._by_mark("Job", self.jobs)
        prints, files, owners, mails = (defaultdict(list) for _ in range(4))
        for key, one in sorted(self.candidates.items()):
            if one.get("createdAt"):
                prints[str(one.get("name")), iso_to_ms(one["createdAt"])].append(key)
            for name in {str(file.get("name")) for file in files_of(one)}:
                files[name].append(key)
            for mail in mails_of(one):
                mails[mail].append(key)
        for key, one in sorted(self.applications.items()):
            owners[owner(one)].append(key)
        self.by_print, self.by_file, self.by_mail = dict(prints), dict(files), dict(mails)
        self.of_candidate = dict(owners)

    def _by_mark(self, object_type: str, things: Mapping[str, Item]) -> dict[str, list[str]]:
        found = defaultdict(list)
        for key, one in sorted(things.items()):
            for lever_id in self.marks(object_type, one):
                found[lever_id].append(key)
        return dict(found)

    def marks(self, object_type: str, thing: Item) -> list[str]:
        """The Lever ids that an object carries in its marker field."""
        return marks_in(object_type, thing, self.field_ids)

    @property
    def n_marked(self) -> int:
        """How many objects carry a mark."""
        return sum(len(set().union(*one.values())) for one in (self.by_contact, self.by_opportunity, self.by_posting))


def marks_in(object_type: str, thing: Item, field_ids: Iterable[str] = ()) -> list[str]:
    """The Lever ids in the marker field of an object, which is known by its title or its id."""
    text = next(
        (
            str(one.get("value") or "")
            for one in thing.get("customFields") or []
            if one.get("title") == MARKERS[object_type] or one.get("id") in field_ids
        ),
        "",
    )
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def owner(application: Item) -> str:
    """The id of an application's candidate."""
    return str((application.get("candidate") or {}).get("id") or "")


def job_of(application: Item) -> str:
    """The id of an application's job."""
    return str((application.get("job") or {}).get("id") or "")


def mails_of(candidate: Item) -> set[str]:
    """The e-mail addresses of a candidate, in lower case."""
    return {str(one.get("value") or "").lower() for one in candidate.get("emailAddresses") or []}


def files_of(candidate: Item) -> list[Item]:
    """The files of a candidate, the résumé too."""
    return [*(candidate.get("fileHandles") or []), candidate.get("resumeFileHandle") or {}]


def values_of(thing: Item) -> dict[str, Any]:
    """{field id: value} of an object's custom fields."""
    return {str(one.get("id")): one.get("value") for one in thing.get("customFields") or []}


def cut_application(item: Item) -> Item:
    """What is kept of an application."""
    kept = {name: item.get(name) for name in ("id", "createdAt", "customFields")}
    return kept | {"candidate": {"id": owner(item)}, "job": {"id": job_of(item)}}


def cut_feedback(item: Item) -> Item:
    """What is kept of a submitted feedback form: whose it is, and its marker lines; none of its texts."""
    application = item.get("applicationId")
    return {"id": item["id"], "applicationId": application, "markers": sorted(markers_in(item.get("submittedValues")))}


def submissions(items: Iterable[Item]) -> dict[str, list[Submission]]:
    """{application id: submitted forms} out of what was kept of them."""
    found = defaultdict(list)
    for one in items:
        found[str(one.get("applicationId"))].append(Submission(str(one["id"]), frozenset(one["markers"])))
    return dict(found)
