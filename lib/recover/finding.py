"""What both kinds of chains need in order to find their rows in Ashby."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.recover.ours import Contact, Crosswalk
from lib.recover.world import Item, World, values_of
from lib.store.ledger import AMBIGUOUS, Planned
from lib.store.marks import Mark, Outcome


@dataclass
class Finding:
    """What is known while rows are looked for. `links` grows: the Ashby ids of rows that were found.

    `members` is {person: contacts}; `marks` are the provisional links by Ashby id; `sent_anyway` are the rows of which
    a person has said that they are not in Ashby; `since_ms` is the moment before which no load had begun, if known.
    """

    world: World
    links: dict[str, str]
    members: Mapping[str, list[str]]
    contacts: Mapping[str, Contact]
    marks: Mapping[str, Mark]
    crosswalk: Crosswalk
    sent_anyway: frozenset[str] = frozenset()
    since_ms: int | None = None
    alike: Mapping[str, list[str]] = field(default_factory=dict)
    held: set[str] = field(init=False)

    def __post_init__(self) -> None:
        """Ashby ids that a row holds."""
        self.held = set(self.links.values())

    def filled(self, value: Any) -> Any:
        """A body with its references filled in; KeyError names one that leads nowhere yet."""
        if isinstance(value, dict):
            if "$link" in value:
                return self.links[value["$link"]]
            return {key: self.filled(child) for key, child in value.items()}
        return [self.filled(child) for child in value] if isinstance(value, list) else value

    def done(self, row: Planned, how: str, ashby_id: str, **more: Any) -> Outcome:
        """A row whose object stands in Ashby."""
        if row.link:
            self.links[row.link] = ashby_id
        self.held.add(ashby_id)
        return Outcome(row, "done", how, ashby_id, **more)

    def gone_or(self, row: Planned, there: Collection[str], why: str = "") -> Outcome:
        """A row that no mark and no looks have found; `there` are the objects that it could be.

        The crosswalk of the last load may know it. Else it is absent, unless something (`why`) says that it may stand
        there all the same, or the crosswalk that it did: then a person must say.
        """
        if row.row_id in self.sent_anyway:
            return Outcome(row, "absent")
        lever_type = "contact" if row.lever_type == "person" else row.lever_type
        loaded = self.crosswalk.made.get((row.kind, lever_type, row.lever_id), frozenset())
        if len(loaded) == 1 and loaded & set(there) and not loaded & self.held:
            return self.done(row, "crosswalk", next(iter(loaded)))
        if loaded and not why:
            why = f"the crosswalk says that it was loaded as {', '.join(sorted(loaded))}, which is not there any more"
        return parked(row, why) if why else Outcome(row, "absent")


def parked(row: Planned, why: str) -> Outcome:
    """A row that a person must clear up; nothing is guessed."""
    return Outcome(row, "parked", code=AMBIGUOUS, note=why)


def several(ids: Iterable[str]) -> str:
    """Why several hits are no hit."""
    found = sorted(ids)
    return f"{len(found)} objects in Ashby could be this one: {', '.join(found)}"


def read_back(row: Planned, body: Mapping[str, Any], thing: Item) -> Outcome:
    """Done when the object stands as a state-setting row wants it; else it is compared and set by the next load."""
    if _stands(row.kind, body, thing):
        return Outcome(row, "done", "state", set_on(body), request=dict(body))
    return Outcome(row, "again", note="does not stand so in Ashby (or not any more)")


def set_on(body: Mapping[str, Any]) -> str | None:
    """The object that a state-setting call names, as its answer would; setting custom fields answers with values."""
    names = ("candidateId", "applicationId", "jobId", "customFieldId")
    return next((str(body[name]) for name in names if name in body), None)


def _stands(kind: str, body: Mapping[str, Any], thing: Item) -> bool:
    if kind == "customField.setValues":
        now = values_of(thing)
        return all(_plain(now.get(one["fieldId"])) == _plain(one["fieldValue"]) for one in body["values"])
    if kind == "candidate.addTag":
        return any(tag.get("id") == body["tagId"] for tag in thing.get("tags") or [])
    if kind == "customField.updateSelectableValues":
        now = {one["value"]: bool(one.get("isArchived")) for one in thing.get("selectableValues") or []}
        return all(now.get(one["value"]) == bool(one.get("isArchived")) for one in body["selectableValues"])
    return kind == "candidate.update" and _is_updated(body, thing)


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _is_updated(body: Mapping[str, Any], thing: Item) -> bool:
    links = {str(one.get("type")): one.get("url") for one in thing.get("socialLinks") or []}
    mails = {str(one.get("value")).lower() for one in thing.get("emailAddresses") or []}
    phones = {one.get("value") for one in thing.get("phoneNumbers") or []}
    wanted = {one["type"]: one["url"] for one in body.get("socialLinks", [])}
    names = {"linkedInUrl": "LinkedIn", "githubUrl": "GitHub", "websiteUrl": "Website"}
    wanted |= {kind: body[name] for name, kind in names.items() if name in body}
    addresses = {body[name].lower() for name in ("email", "alternateEmail") if name in body}
    phone = {body["phoneNumber"]} if "phoneNumber" in body else set()
    return wanted.items() <= links.items() and addresses <= mails and phone <= phones
