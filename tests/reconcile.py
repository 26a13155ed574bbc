"""The sandbox's truth against the state it ended in: what is lost, doubled, invented, wrongly merged or announced.

Knows neither `lib` nor its store: only what the sandbox says must arrive, and what arrived.
Which records stand, how often and where is asked here; what they say is asked in `reconcile_contents`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

from reconcile_contents import contents
from reconcile_text import milliseconds, squash

MARKER = re.compile(r"\[Lever ([a-z]+) ([^\]\s]+)(?: (?!\d+/)[^\]\s]+){0,2}(?: (\d+)/(\d+))?\]")
WHOLE = re.compile(r"\[Lever [a-z]+ [^\]]+\]")
FILLS = re.compile(r" \(in place of parts? (\d+)/\d+(?: to (\d+)/\d+)?(?: of v(\d+))?\)(?: \(part \d+/\d+\))?$")
"""The first line of a note that says the text of such parts of another one as were too long for Ashby."""
Json = dict[str, Any]


def problems(truth: Json, state: Json) -> dict[str, list[str]]:
    """{kind: what is wrong}; every list is empty when the move is exact."""
    world = World(truth, state)
    return {
        "people": _people(world),
        "merged": _merged(world),
        "opportunities": _opportunities(world),
        "notes": _notes(world),
        "feedback": _feedback(world),
        "forms": _forms(world),
        "files": _files(world),
        "invented": _invented(world),
        **contents(world),
        "notified": [f"{state['notified']} notifications"] if state["notified"] else [],
    }


TWICE = re.compile(
    r"is doubled|is split|is nobody's|is invented|of unknown|carries no Lever id|without a marker|must never load|"
    r"(stands|file \w+) ([2-9]|\d\d+) (times|versions)|stands in \d+ versions"
)


def tally(found: dict[str, list[str]]) -> Counter[str]:
    """How much of what was found is there once too often or should not be (`doubled`), and how much lacks (`lost`).

    What is there and reads otherwise counts as lost.
    """
    texts = [text for some in found.values() for text in some]
    n_doubled = sum(bool(TWICE.search(text)) for text in texts)
    return Counter(lost=len(texts) - n_doubled, doubled=n_doubled)


class World:
    """Truth and state, indexed by Lever ids."""

    def __init__(self, truth: Json, state: Json) -> None:
        self.truth, self.state = truth, state
        self.old = {kind: set(ids) for kind, ids in state["preexisting"].items()}
        self.person_of = {contact: person for person in truth["people"] for contact in person["contacts"]}
        self.of_contact: dict[str, list[Json]] = defaultdict(list)
        for candidate in state["candidates"]:
            for contact in _field(candidate, "Lever contact ID").split(","):
                if contact:
                    self.of_contact[contact].append(candidate)
        self.of_opportunity: dict[str, list[Json]] = defaultdict(list)
        for application in state["applications"]:
            if _field(application, "Lever opportunity ID"):
                self.of_opportunity[_field(application, "Lever opportunity ID")].append(application)
        self.markers: Counter[str] = Counter()  # whole marker lines: each may stand once
        self.notes: dict[tuple[str, str], list[Json]] = defaultdict(list)
        for candidate in state["candidates"]:
            for note in candidate["notes"]:
                found = MARKER.findall(note.get("content") or "")
                if found:
                    kind, lever_id, _, _ = found[-1]
                    self.markers[WHOLE.findall(note["content"])[-1]] += 1
                    self.notes[kind, lever_id].append(note | {"candidate": candidate["id"]})
        self.forms: dict[str, list[Json]] = defaultdict(list)
        for application in state["applications"]:
            for form in application["feedback"]:
                found = MARKER.findall(str(form.get("submittedValues")))
                if found:
                    self.forms[found[-1][1]].append(form | {"opportunity": _field(application, "Lever opportunity ID")})
        self.contact = {one["id"]: one for one in truth["contacts"]}
        self.labels = {
            field["title"]: {option["value"]: option["label"] for option in field.get("selectableValues") or []}
            for field in state["custom_fields"]
        }
        self.opportunity = {one["id"]: one for one in truth["opportunities"]}

    def new_candidates(self) -> list[Json]:
        """Candidates that were not there before the move."""
        return [one for one in self.state["candidates"] if one["id"] not in self.old["candidates"]]

    def contacts_of(self, candidate: Json) -> list[str]:
        """The Lever contacts a candidate stands for."""
        return [one for one in _field(candidate, "Lever contact ID").split(",") if one]

    def text(self, kind: str, lever_id: str, contact: str) -> str:
        """All notes of one Lever object at the candidate of one contact, squashed; parts joined in their order."""
        here = {candidate["id"] for candidate in self.of_contact[contact]}
        notes = [note["content"] for note in self.notes[kind, lever_id] if note["candidate"] in here]
        fills = {_version(text): found for text in notes if (found := _fills(text))}
        parts = []
        for note in notes:
            marker, place = WHOLE.findall(note)[-1], [_number(note)]
            version = _version(note)
            while version in fills:
                version, first, _ = fills[version]
                place.insert(0, first)
            body = note.rpartition(marker)[0]
            parts.append(([version, *place], body if set(place) == {1} else body.partition("\n")[2]))
        return self.as_called_now(squash("".join(body for _, body in sorted(parts))))

    def as_called_now(self, text: str) -> str:
        """A squashed text with users under their names of today: what stands names them as they were called then."""
        for now, before in self.truth.get("former_names", {}).items():
            for name in before:
                text = text.replace(squash(name), squash(now))
        return text

    def stands_open(self, kind: str, lever_id: str) -> bool:
        """Whether one of its notes is not private."""
        return not all(note["isPrivate"] for note in self.notes[kind, lever_id])

    def fields_of(self, opportunity: str) -> list[tuple[str, Any]]:
        """(title, value) of the custom fields of a candidacy's candidate and application; options by their label."""
        found = []
        for item in [*self.of_contact[self.opportunity[opportunity]["contact"]], *self.of_opportunity[opportunity]]:
            for title, value in item["customFields"].items():
                labels = self.labels.get(title, {})
                shown = [labels.get(one, one) for one in value] if isinstance(value, list) else value
                found.append((title, labels.get(shown, shown) if isinstance(shown, str) else shown))
        return [(title, value) for title, value in found if not title.startswith("Lever ")]


def _version(text: str) -> str:
    """The last marker line without the number of the part."""
    return re.sub(r" \d+/\d+\]$", "]", WHOLE.findall(text)[-1])


def _number(text: str) -> int:
    return int(MARKER.findall(WHOLE.findall(text)[-1])[-1][2] or 1)


def _fills(text: str) -> tuple[str, int, int] | None:
    """(version, first part, last part) in whose place a note stands."""
    found = FILLS.search(text.partition("\n")[0])
    if not found:
        return None
    of = f" v{found[3]}]" if found[3] else "]"
    return re.sub(r" v\d+\]$", of, _version(text)), int(found[1]), int(found[2] or found[1])


def _field(item: Json, title: str) -> str:
    return str((item.get("customFields") or {}).get(title) or "")


def _people(world: World) -> list[str]:
    found = []
    for person in world.truth["people"]:
        held = [world.of_contact[contact] for contact in person["contacts"]]
        ids = {candidate["id"] for one in held for candidate in one}
        if person["expected"] != "load":
            found += [f"{person['key']} must never load ({person['expected']})"] if ids else []
            continue
        found += [f"{person['key']} is lost" for one in held if not one]
        found += [f"{person['key']} stands {len(one)} times" for one in held if len(one) > 1]
        for group in person["silent_groups"]:
            if len({candidate["id"] for contact in group for candidate in world.of_contact[contact]}) > 1:
                found.append(f"{person['key']} is split although its addresses are the same")
        found += [f"{person['key']} is doubled"] if len(ids) > 1 else []
    return found


def _merged(world: World) -> list[str]:
    found = []
    for left, right in world.truth["must_not_merge"]:
        both = {one["id"] for one in world.of_contact[left]} & {one["id"] for one in world.of_contact[right]}
        found += [f"{left} and {right} are different people in one candidate"] if both else []
    for candidate in world.state["candidates"]:
        keys = {world.person_of[one]["key"] for one in _field(candidate, "Lever contact ID").split(",") if one}
        found += [f"{sorted(keys)} in one candidate"] if len(keys) > 1 else []
    return found


def _opportunities(world: World) -> list[str]:
    found = []
    for one in world.truth["opportunities"]:
        applications = world.of_opportunity[one["id"]]
        as_note = world.notes["opportunity", one["id"]]
        name = f"opportunity {one['id']} ({one['expected']})"
        if len(applications) > 1 or any(n > 1 for key, n in world.markers.items() if one["id"] in key):
            found.append(f"{name} is doubled")
        if one["expected"].startswith("never"):
            found += [f"{name} must never load"] if applications or as_note else []
        elif one["expected"] == "application":
            found += [] if _stood_before(world, one) else _application(one, applications, name)
        elif not applications and not as_note:
            found.append(f"{name} is lost")
    return found


def _stood_before(world: World, one: Json) -> bool:
    """Edited after a load, another candidacy on that job may be the one that ought to be the application by now.

    The one that was loaded keeps it: the others are told in notes.
    """
    is_told = bool(world.notes["opportunity", one["id"]]) and not world.of_opportunity[one["id"]]
    n_there = sum(bool(world.of_opportunity[it]) for it in one["repeats"])
    return bool(world.truth.get("edited_since")) and is_told and n_there == 1


def _application(one: Json, applications: list[Json], name: str) -> list[str]:
    if not applications:
        return [f"{name} is lost"]
    got = applications[0]
    history = [milliseconds(event["enteredStageAt"]) for event in got["history"]]
    found = [f"{name}: createdAt"] if milliseconds(got["createdAt"]) != one["created"] else []
    if one["archived"]:
        found += [f"{name}: is not closed"] if got["status"] not in ("Archived", "Hired") else []
        found += [f"{name}: closed at another time"] if abs(max(history, default=0) - one["archived_at"]) > 50 else []
    elif got["status"] not in ("Active", "Lead"):
        found.append(f"{name}: is {got['status']}")
    found += [f"{name}: history out of order"] if history != sorted(history) else []
    return found


def _parts(world: World, kind: str, one: Json) -> list[str]:
    """A record that must stand exactly once as a note (all of its parts), with its privacy."""
    notes = world.notes[kind, one["id"]]
    name = f"{kind} {one['id']}"
    if not one["expected"].startswith("load"):
        return [f"{name} must never load ({one['expected']})"] if notes else []
    if not notes:
        return [f"{name} is lost"]
    standing: dict[str, set[int]] = defaultdict(set)
    totals: dict[str, set[int]] = defaultdict(set)
    for text in {note["content"] for note in notes}:
        standing[_version(text)].add(_number(text))
        totals[_version(text)].add(int(MARKER.findall(text)[-1][3] or 1))
    filling = {_version(note["content"]): found for note in notes if (found := _fills(note["content"]))}
    for version, first, last in set(filling.values()):
        standing[version] |= set(range(first, last + 1))
    found = [
        f"{name} has parts {sorted(numbers)} of {totals[version]}"
        for version, numbers in standing.items()
        if totals[version] != {len(numbers)}
    ]
    if len(set(standing) - set(filling)) > 1:
        found.append(f"{name} stands in {len(set(standing) - set(filling))} versions")
    if one.get("secret") and not all(note["isPrivate"] for note in notes):
        found.append(f"{name} is secret and stands open")
    return found


def _notes(world: World) -> list[str]:
    return [text for one in world.truth["notes"] for text in _parts(world, "note", one)]


def _feedback(world: World) -> list[str]:
    found = []
    for one in world.truth["feedback"]:
        n = len(world.forms[one["id"]]) + len(world.notes["feedback", one["id"]])
        wanted = 1 if one["expected"] == "load" else 0
        found += [f"feedback {one['id']} ({one['expected']}) stands {n} times"] if n != wanted else []
    return found


def _forms(world: World) -> list[str]:
    """Profile forms: none may stand twice, none that must not load; their answers are asked one by one elsewhere."""
    found = []
    for one in world.truth["forms"]:
        n = len({note["id"] for note in world.notes["form", one["id"]]})
        if not one["expected"].startswith("load") and n:
            found.append(f"form {one['id']} must never load")
        if n > 1:
            found.append(f"form {one['id']} stands {n} times")
    return found


def _files(world: World) -> list[str]:
    """The bytes of each file stand once at the person's candidate; the same bytes may be several files of theirs."""
    wanted: dict[str, Counter[str]] = defaultdict(Counter)
    for one in world.truth["files"]:
        opportunity = world.opportunity[one["opportunity"]]
        if one["expected"] == "load":
            for candidate in world.of_contact[opportunity["contact"]][:1]:
                wanted[candidate["id"]][one["sha256"]] += 1
    found = []
    for candidate in world.state["candidates"]:
        have = Counter(file["sha256"] for file in candidate["files"])
        for sha, n in wanted[candidate["id"]].items():
            found += (
                [f"candidate {candidate['id']}: file {sha[:8]} {have[sha]} times, not {n}"] if have[sha] != n else []
            )
        if candidate["id"] not in world.old["candidates"]:
            found += [
                f"candidate {candidate['id']}: file {sha[:8]} is nobody's"
                for sha in have
                if sha not in wanted[candidate["id"]]
            ]
    return found


def _invented(world: World) -> list[str]:
    found = []
    known = {opportunity["id"] for opportunity in world.truth["opportunities"]}
    for kind, title in (
        ("candidates", "Lever contact ID"),
        ("applications", "Lever opportunity ID"),
        ("jobs", "Lever posting ID"),
    ):
        for item in world.state[kind]:
            if item["id"] not in world.old[kind] and not _field(item, title):
                found.append(f"{kind}: {item['id']} carries no Lever id")
    for application in world.state["applications"]:
        lever_id = _field(application, "Lever opportunity ID")
        found += [f"application of unknown {lever_id}"] if lever_id and lever_id not in known else []
    for key, n in world.markers.items():
        found += [f"note {key} stands {n} times"] if n > 1 else []
    for candidate in world.state["candidates"]:
        if candidate["id"] not in world.old["candidates"]:
            found += [
                f"note {note['id']} without a marker"
                for note in candidate["notes"]
                if not MARKER.search(note["content"] or "")
            ]
    return found
