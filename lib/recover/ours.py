"""What in Ashby is ours, told before there is a plan: by marks, and where a mark was never set, by exact moments.

A load that died may have made a candidate and not yet marked it. Such a one has the name or address of a Lever contact
and, to the millisecond, its back-dated `createdAt`.
What was there before us and carries our mark was adopted; it is told from our own by its `createdAt`, unless the
crosswalk of the last load is at hand, which says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lib.mapping.model import EXTRAS, MARKERS, ORIGIN
from lib.normalize import iso_to_ms
from lib.recover.world import Item, World, job_of, mails_of, owner
from lib.store.marks import Mark

NEAR = 1000  # ms: the plan moves a moment by so little where name and moment would equal another candidate's
OURS = "lever:"  # what the values of options begin with that the plan creates
MAKERS = ("candidate.create", "job.create", "customField.create", "candidateTag.create", "link")
OWN_FIELDS = {
    *MARKERS.items(), *(("Candidate", title) for title in EXTRAS), ("Application", ORIGIN),
}  # fmt: skip


@dataclass(frozen=True)
class Contact:
    """What recognises one Lever contact: when it was created, its names and its addresses, in lower case."""

    created_ms: int
    names: frozenset[str]
    mails: frozenset[str]


@dataclass(frozen=True)
class Crosswalk:
    """The crosswalk of the last load, as far as there is one: Ashby ids by (endpoint, Lever type, Lever id)."""

    made: Mapping[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)

    def origins(self) -> dict[str, str]:
        """{Ashby id: `created` or `existing`}: whether a load made this object or found it there."""
        return {
            ashby_id: "existing" if endpoint == "link" else "created"
            for (endpoint, _, _), ids in self.made.items()
            for ashby_id in ids
            if endpoint in MAKERS
        }


@dataclass(frozen=True)
class Known:
    """What Lever and the decisions say. `opportunities` is {id: (contact, created ms)}; `titles`: of tags, folded.

    `postings` is {posting: its verdict is "new"}; `fields` are (object, title) of the decided custom fields.
    """

    contacts: Mapping[str, Contact]
    opportunities: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    postings: Mapping[str, bool] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()
    crosswalk: Crosswalk = field(default_factory=Crosswalk)


def ours(world: World, known: Known) -> list[Mark]:
    """A mark for every object that is ours; what was there before us comes with its looks of then, as far as known."""
    origins = known.crosswalk.origins()
    people = list(_candidates(world, known, origins))
    mine = {one.ashby_id for one in people}
    return [
        *(_as_before(one, world.candidates[one.ashby_id], known) for one in people),
        *_applications(world, known, mine),
        *_jobs(world, known, origins),
        *_tags(world, known, origins, mine),
        *_fields(world, known, origins, mine),
    ]


def alike(world: World, contacts: Mapping[str, Contact]) -> dict[str, list[str]]:
    """{contact: candidates without a known mark that have its moment, and its name or address}."""
    at: dict[int, list[str]] = defaultdict(list)
    for key, one in contacts.items():
        at[one.created_ms // NEAR].append(key)
    found: dict[str, list[str]] = defaultdict(list)
    for key, one in sorted(world.candidates.items()):
        if not one.get("createdAt") or any(mark in contacts for mark in world.marks("Candidate", one)):
            continue
        moment = iso_to_ms(one["createdAt"])
        near = [*at.get(moment // NEAR, ()), *at.get(moment // NEAR - 1, ())]
        for contact in near:
            if _is_near(moment, contacts[contact]) and _is_like(one, contacts[contact]):
                found[contact].append(key)
    return dict(found)


def _is_near(moment: int, contact: Contact) -> bool:
    return 0 <= moment - contact.created_ms < NEAR


def _is_like(candidate: Item, contact: Contact) -> bool:
    name = " ".join(str(candidate.get("name") or "").split()).lower()
    return name in contact.names or bool(mails_of(candidate) & contact.mails)


def _candidates(world: World, known: Known, origins: Mapping[str, str]) -> Iterator[Mark]:
    found = []
    for key, one in sorted(world.candidates.items()):
        contacts = [mark for mark in world.marks("Candidate", one) if mark in known.contacts]
        if contacts:
            moment = iso_to_ms(one["createdAt"]) if one.get("createdAt") else 0
            near = any(_is_near(moment, known.contacts[contact]) for contact in contacts)
            found.append(Mark(f"candidate:{contacts[0]}", key, origins.get(key, "created" if near else "existing")))
    yield from sorted(found, key=lambda mark: mark.origin)  # of two with one mark, the one that a load made comes first
    marked = set(world.by_contact)
    for contact, keys in alike(world, known.contacts).items():
        yield from (Mark(f"candidate:{contact}", key, "created") for key in keys if contact not in marked)


def _as_before(mark: Mark, candidate: Item, known: Known) -> Mark:
    """A candidate that was there before us, without what we have put on it: fields of ours, and tags of Lever."""
    if mark.origin == "created":
        return mark
    titles = {title for _, title in OWN_FIELDS}
    before = dict(candidate)
    before["tags"] = [tag for tag in candidate.get("tags") or [] if not _is_used(tag, known)]
    before["customFields"] = [one for one in candidate.get("customFields") or [] if one.get("title") not in titles]
    return Mark(mark.link, mark.ashby_id, mark.origin, before)


def _applications(world: World, known: Known, mine: set[str]) -> Iterator[Mark]:
    created = {(contact, at): key for key, (contact, at) in known.opportunities.items()}
    for key, one in sorted(world.applications.items()):
        marks = world.marks("Application", one)
        if not marks and owner(one) in mine and one.get("createdAt"):
            candidate, at = world.candidates.get(owner(one), {}), iso_to_ms(one["createdAt"])
            contacts = world.marks("Candidate", candidate)
            marks = [created[contact, at] for contact in contacts if (contact, at) in created][:1]
        if marks:
            yield Mark(f"application:{marks[0]}", key, "created")


def _jobs(world: World, known: Known, origins: Mapping[str, str]) -> Iterator[Mark]:
    for key, one in sorted(world.jobs.items()):
        postings = world.marks("Job", one)
        ours = bool(postings) and all(known.postings.get(posting, True) for posting in postings)
        if postings and origins.get(key, "created" if ours else "existing") == "created":
            yield Mark(f"job:{postings[0]}", key, "created")


def _tags(world: World, known: Known, origins: Mapping[str, str], mine: set[str]) -> Iterator[Mark]:
    strange = {
        str(tag.get("id")) for key, one in world.candidates.items() if key not in mine for tag in one.get("tags") or []
    }
    for key, one in sorted(world.tags.items()):
        title = str(one.get("title"))
        otherwise = "created" if _is_used(one, known) and key not in strange else "existing"
        if origins.get(key, otherwise) == "created":
            yield Mark(f"tag:{title}", key, "created")


def _is_used(tag: Item, known: Known) -> bool:
    return " ".join(str(tag.get("title")).split()).casefold() in known.titles


def _fields(world: World, known: Known, origins: Mapping[str, str], mine: set[str]) -> Iterator[Mark]:
    """Fields of ours. A select field with options of its own was there before: without those that we added."""
    strange = _strange_fields(world, mine)
    wanted = {(kind, title.casefold()) for kind, title in [*OWN_FIELDS, *known.fields]}
    for key, one in sorted(world.fields.items()):
        link = f"custom_field:{one.get('objectType')}:{one.get('title')}"
        if (str(one.get("objectType")), str(one.get("title")).casefold()) not in wanted:
            continue
        options = one.get("selectableValues") or []
        own = [option for option in options if str(option.get("value")).startswith(OURS)]
        otherwise = "existing" if key in strange or len(own) < len(options) else "created"
        origin = origins.get(key, otherwise)
        if origin == "created":
            yield Mark(link, key, origin)
        elif own:
            yield Mark(link, key, origin, one | {"selectableValues": [o for o in options if o not in own]})


def _strange_fields(world: World, mine: set[str]) -> set[str]:
    """Custom fields that hold something on people who have nothing to do with us."""
    things: Iterable[Item] = [
        *(one for key, one in world.candidates.items() if key not in mine),
        *(one for one in world.applications.values() if owner(one) not in mine),
    ]
    return {str(value.get("id")) for one in things for value in one.get("customFields") or []}


def jobs_of(world: World, opportunities: Iterable[str]) -> set[str]:
    """The jobs on which the marked applications of these opportunities stand."""
    return {
        job
        for opportunity in opportunities
        for key in world.by_opportunity.get(opportunity, ())
        if (job := job_of(world.applications[key]))
    }


def verdict_is_new(verdict: str) -> bool:
    """True when a posting's verdict asks for a new job."""
    return verdict.strip().casefold() == "new"
