"""Other people at work in Ashby while a move runs: merges, deletions and edits, as their users make them.

No endpoint merges or deletes candidates; what becomes of the parts of a merged one is not documented beyond the
webhook's two ids (facts §2.3, §7), the rest is a guess told in this folder's README.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sandbox.ashby import webhooks
from sandbox.ashby.checks import RefusedError
from sandbox.ashby.histories import enter
from sandbox.ashby.records import Application, Candidate, Json, Note
from sandbox.ashby.state import State, find, new_id, plan_stages


def _forget(state: State, collection: dict[str, Any], object_id: str, *, listed: str, owner: str | None = None) -> None:
    """Take an object out of its collection, and tell open cursors of that list."""
    state.removals.append((listed, owner, list(collection).index(object_id)))
    del collection[object_id]
    state.forget(object_id)


def merge(state: State, keep: str, gone: str) -> Json:
    """Merge one candidate into another: applications move over, and what else does is open (``merge_moves``)."""
    kept: Candidate = find(state, "candidates", keep, "candidate_not_found")
    lost: Candidate = find(state, "candidates", gone, "candidate_not_found")
    if kept is lost:
        raise RefusedError("invalid_input", "keep and gone are one candidate")
    state.unindex(kept)
    state.unindex(lost)
    left = _left_behind(state, lost)
    _fill(state, kept, lost)
    for application_id in lost.applications:
        state.applications[application_id].candidate = keep
        state.save_application(state.applications[application_id])
    for file_id in lost.files:
        state.files[file_id].candidate = keep
    for item in state.emails.values():
        item["candidateId"] = keep if item["candidateId"] == gone else item["candidateId"]
    for members in state.members.values():
        if gone in members:
            members[:] = dict.fromkeys(keep if key == gone else key for key in members)
    _forget(state, state.candidates, gone, listed="candidate.list")
    state.merged[gone] = keep
    state.index(kept)
    state.save_candidate(kept)
    state.touch(*lost.notes)
    webhooks.publish(
        state, "candidateMerge", lambda: {"deletedCandidate": {"id": gone}, "mergedCandidate": {"id": keep}}
    )
    return {"kind": "merge", "keep": keep, "gone": gone, **({"left": left} if left else {})}


def _left_behind(state: State, lost: Candidate) -> list[str]:
    """Take from a candidate what does not move with a merge (switch ``merge_moves``); return its notes and files."""
    moves = state.switch("merge_moves").split(",")
    gone: list[str] = []
    if "notes" not in moves:
        gone += lost.notes
        lost.notes = {}
    if "files" not in moves:
        gone += lost.files
        for file_id in lost.files:
            state.handles.pop(state.files.pop(file_id).handle, None)
        lost.files, lost.resume = [], None
    lacks_tags = bool(lost.tags) and "tags" not in moves
    lost.tags = [] if lacks_tags else lost.tags
    if gone or lacks_tags or "contact" not in moves:
        state.decides("merge_moves")
    for note_id in gone:
        state.forget(note_id)
    return gone


def _fill(state: State, kept: Candidate, lost: Candidate) -> None:
    """Move everything of the lost candidate that the kept one lacks."""
    kept.tags = list(dict.fromkeys((*kept.tags, *lost.tags)))
    kept.applications = [*kept.applications, *lost.applications]
    kept.files = [*kept.files, *lost.files]
    kept.resume = kept.resume or lost.resume
    kept.notes = {**kept.notes, **lost.notes}
    filled = {**lost.custom, **kept.custom}
    ways = {"fill": filled, "keep": kept.custom, "replace": {**kept.custom, **lost.custom}}
    custom = ways[state.switch("merge_custom_fields")]
    if custom != filled:
        state.decides("merge_custom_fields")
    kept.custom = custom
    if "contact" in state.switch("merge_moves").split(","):
        _fill_contact(kept, lost)


def _fill_contact(kept: Candidate, lost: Candidate) -> None:
    """Addresses and links are united, the rest is filled where it was empty."""
    addresses = dict.fromkeys(filter(None, (kept.email, *kept.alternates, lost.email, *lost.alternates)))
    if kept.email is None and addresses:
        kept.email = next(iter(addresses))
    kept.alternates = [address for address in addresses if address != kept.email]
    for name in ("phone", "position", "company", "school", "source", "credited", "timezone", "location"):
        if getattr(kept, name) is None:
            setattr(kept, name, getattr(lost, name))
    kept.links = [*kept.links, *(link for link in lost.links if link not in kept.links)]


def delete_note(state: State, note_id: str) -> Json:
    """Delete a note."""
    for candidate in state.candidates.values():
        if note_id in candidate.notes:
            _forget(state, candidate.notes, note_id, listed="candidate.listNotes", owner=candidate.id)
            state.save_candidate(candidate)
            return {"kind": "delete", "note": note_id, "candidate": candidate.id}
    raise RefusedError("note_not_found", "no candidate has this note")


def delete_application(state: State, application_id: str) -> Json:
    """Delete an application with its feedback, interviews and offers."""
    item: Application = find(state, "applications", application_id, "application_not_found")
    for feedback_id in item.feedback:
        _forget(state, state.feedback, feedback_id, listed="applicationFeedback.list")
    for schedule in [one for one in state.schedules.values() if one["applicationId"] == item.id]:
        for event in [one for one in state.interview_events.values() if one["scheduleId"] == schedule["id"]]:
            del state.interview_events[event["id"]]
        _forget(state, state.schedules, schedule["id"], listed="interviewSchedule.list")
    for offer in [one for one in state.offers.values() if one["applicationId"] == item.id]:
        _forget(state, state.offers, offer["id"], listed="offer.list")
    _forget(state, state.applications, item.id, listed="application.list")
    candidate = state.candidates[item.candidate]
    candidate.applications = [key for key in candidate.applications if key != item.id]
    state.save_candidate(candidate)
    return {"kind": "delete", "application": item.id, "candidate": candidate.id}


def delete_candidate(state: State, candidate_id: str) -> Json:
    """Delete a candidate with everything that hangs on it."""
    candidate: Candidate = find(state, "candidates", candidate_id, "candidate_not_found")
    for application_id in list(candidate.applications):
        delete_application(state, application_id)
    for file_id in candidate.files:
        state.handles.pop(state.files.pop(file_id).handle, None)
    for note_id in candidate.notes:
        state.forget(note_id)
    state.unindex(candidate)
    _forget(state, state.candidates, candidate.id, listed="candidate.list")
    webhooks.publish(state, "candidateDelete", lambda: {"candidate": {"id": candidate.id}})
    return {"kind": "delete", "candidate": candidate.id}


# --- edits ----------------------------------------------------------------------------------------------------

Edit = Callable[[State, Candidate, random.Random], Json | None]


def _rename(state: State, candidate: Candidate, rng: random.Random) -> Json:
    before = candidate.name
    candidate.name = f"{before} {rng.choice(('Jr.', 'II', 'PhD'))}"
    return {"before": before, "after": candidate.name}


def _phone(state: State, candidate: Candidate, rng: random.Random) -> Json:
    before, candidate.phone = candidate.phone, f"+47 {rng.randrange(10**7, 10**8)}"
    return {"before": before, "after": candidate.phone}


def _email(state: State, candidate: Candidate, rng: random.Random) -> Json:
    before, candidate.email = candidate.email, f"changed.{rng.randrange(10**6)}@inbox.example"
    candidate.alternates = [*candidate.alternates, before] if before else candidate.alternates
    return {"before": before, "after": candidate.email}


def _tag(state: State, candidate: Candidate, rng: random.Random) -> Json | None:
    free = [key for key, tag in state.tags.items() if key not in candidate.tags and not tag["isArchived"]]
    if candidate.tags and (not free or rng.random() < 0.3):
        gone = rng.choice(candidate.tags)
        candidate.tags = [key for key in candidate.tags if key != gone]
        return {"before": state.tags[gone]["title"], "after": None}
    if not free:
        return None
    added = rng.choice(free)
    candidate.tags = [*candidate.tags, added]
    return {"before": None, "after": state.tags[added]["title"]}


def _field(state: State, candidate: Candidate, rng: random.Random) -> Json | None:
    fields = [
        item for item in state.fields.values()
        if item.object == "Candidate" and item.kind in ("String", "LongText") and not item.is_archived
    ]  # fmt: skip
    if not fields:
        return None
    chosen = rng.choice([item for item in fields if item.id in candidate.custom] or fields)
    before = candidate.custom.get(chosen.id)
    candidate.custom[chosen.id] = f"{before or ''} edited {rng.randrange(1000)}".strip()
    return {"field": chosen.title, "before": before, "after": candidate.custom[chosen.id]}


def _note(state: State, candidate: Candidate, rng: random.Random) -> Json:
    now, author = state.now(), rng.choice([user["id"] for user in state.users.values() if user["isEnabled"]])
    note = Note(new_id(), now, now, False, f"Called again, {rng.randrange(1000)}.", "text/plain", author)
    candidate.notes[note.id] = note
    state.touch(note.id)
    return {"note": note.id, "after": note.content}


def _stage(state: State, candidate: Candidate, rng: random.Random) -> Json | None:
    if not candidate.applications:
        return None
    item = state.applications[rng.choice(candidate.applications)]
    here = item.events[-1].stage_id
    stages = [one for one in plan_stages(state, item.plan) if one["id"] != here and one["type"] != "Hired"]
    stage = rng.choice(stages)
    reasons = [key for key, reason in state.archive_reasons.items() if not reason["isArchived"]]
    reason = rng.choice(reasons) if stage["type"] == "Archived" else None
    enter(state, item, stage, reason_id=reason, actor=state.key_user)
    state.save_application(item)
    webhooks.stage_changed(state, item)
    return {"application": item.id, "before": state.stages[here]["title"], "after": stage["title"]}


EDITS: dict[str, Edit] = {
    "field": _field,
    "tag": _tag,
    "stage": _stage,
    "note": _note,
    "name": _rename,
    "phone": _phone,
    "email": _email,
}
"""Kinds of edit by name; the candidate stays where it is."""


def _merge_away(state: State, candidate: Candidate, rng: random.Random) -> Json | None:
    """Merge a moved candidate into one that was there before, another one each time; None when there is none left."""
    known = [key for key in state.preexisting.get("candidates", ()) if key in state.candidates]
    free = [key for key in known if key not in state.merged.values()]
    return merge(state, rng.choice(free), candidate.id) if free else None


def _delete_away(state: State, candidate: Candidate, rng: random.Random) -> Json | None:
    return delete_candidate(state, candidate.id)


REMOVALS: dict[str, Edit] = {"merge": _merge_away, "delete": _delete_away}
"""Kinds after which a candidate is gone: made only when they are named."""

KINDS = (*EDITS, *REMOVALS)
"""Everything that may be asked for; without a choice it is what stands in ``EDITS``."""


def edit(state: State, count: int, seed: int, kinds: list[str]) -> list[Json]:
    """Make edits on candidates that were not there at the start; the same seed on the same state edits the same.

    Fewer than asked for when there is nothing of these kinds to edit.
    """
    moved, done = _moved(state), list[Json]()
    rng = random.Random(f"{seed}:others")
    for _ in range(count * 20):
        if not moved or len(done) == count:
            break
        candidate, kind = rng.choice(moved), rng.choice(kinds)
        if kind in REMOVALS:
            what = REMOVALS[kind](state, candidate, rng)
            moved = _moved(state)
        else:
            what = _edited(state, candidate, kind, rng)
        if what is not None:
            done.append(what)
    return done


def _moved(state: State) -> list[Candidate]:
    """Return the candidates that were not there at the start."""
    known = set(state.preexisting.get("candidates", ()))
    return [candidate for key, candidate in state.candidates.items() if key not in known]


def _edited(state: State, candidate: Candidate, kind: str, rng: random.Random) -> Json | None:
    """Make one edit that leaves the candidate where it is; None when there is nothing of this kind to edit."""
    state.unindex(candidate)
    what = EDITS[kind](state, candidate, rng)
    state.index(candidate)
    if what is None:
        return None
    state.save_candidate(candidate)
    return {"kind": kind, "candidate": candidate.id, **what}


def shown(state: State) -> list[Json]:
    """Return the log of everything others did, each with whether its candidate still stands."""
    return [{**entry, "there": entry.get("candidate", entry.get("keep")) in state.candidates} for entry in state.others]


DELETIONS: dict[str, Callable[[State, str], Json]] = {
    "candidate": delete_candidate,
    "application": delete_application,
    "note": delete_note,
}
"""What can be deleted, by the member of the request."""
