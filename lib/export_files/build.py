"""From what was read to what the API would have given: names become ids, apart objects are put back together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from lib.export_files import people, talk
from lib.export_files.lists import Lists, posting_of, user_of
from lib.export_files.objects import CHILDREN
from lib.export_files.papers import name_of
from lib.export_files.rows import lever_id, person_key
from lib.export_files.scratch import API, TABLE, Scratch, fold
from lib.export_files.told import FileTold, Told
from lib.export_files.twice import form_of
from lib.export_files.values import made_id, uuids, yes

Item = dict[str, Any]
Row = tuple[str, int, Item]
ROLES = ("owner", "posting_owner", "sourcer", "manager", "author")
NO_OWNER = "no opportunity of this export has the id that it names"
BY_NAME = "names its candidate by name or address only, which proves nothing"


def _unproven(row: Item) -> str:
    """What a candidacy without id and address is known by; empty for one that has either."""
    return json.dumps(person_key(row)) if "cells" in row else ""


class Build:
    """Puts the objects of one export together; `files` are the tellings of its files, by id."""

    def __init__(self, scratch: Scratch, told: Told, files: dict[str, FileTold]) -> None:
        self._scratch, self._told, self._files = scratch, told, files
        self._lists = Lists(scratch, told)

    def run(self) -> None:
        """Lists first, for all others name them; then people; then what hangs on them."""
        self._list_tables()
        self._lists.index()
        for kind in ("candidates", "postings", "notes", "feedback", "interviews"):
            self._meet(kind, ROLES)
        self._lists.index()
        for group in self._scratch.groups("postings"):
            for row in group:
                self._put(row, "postings", posting_of(row[2], self._lists))
        self._lists.index()
        shared = self._shared("candidates", _unproven)
        for rows in self._scratch.groups("candidates"):
            self._candidates(rows, shared=_unproven(rows[0][2]) in shared)
        self._put_together()
        self._notes()
        self._feedback()
        self._interviews()
        self._orphans()
        self._manifest()

    def _refuse(self, row: Row, reason: str) -> None:
        self._files[row[0]].refuse(row[1], reason)

    def _put(self, row: Row, stream: str, body: Item | str, parent: str = "") -> None:
        """Keep an object made of a row; a row that an object of the API stands before is counted, not lost."""
        if isinstance(body, str):
            self._refuse(row, body)
            return
        became = self._scratch.put(stream, body["id"], parent, body, rank=TABLE)
        told = self._files[row[0]]
        told.n_used += 1
        if became == "lower":
            told.remarks["rows that a JSON object of the same id stands for"] += 1
        elif became == "even":
            told.differ(stream, body["id"])
        elif became in ("same", "other"):
            told.remarks["rows with an id that came before: the newest stands"] += 1

    def _list_tables(self) -> None:
        for group in self._scratch.groups("users"):
            for row in group:
                self._put(row, "users", user_of(row[2]))
        for group in self._scratch.groups("stages"):
            for row in group:
                key = str(row[2].get("id") or "").strip() or made_id("stage", fold(row[2]["text"]))
                self._put(row, "stages", {"id": key, "text": row[2]["text"]})
        for group in self._scratch.groups("archive_reasons"):
            for row in group:
                text, kind = row[2]["text"], fold(str(row[2].get("type") or ""))
                hired = kind == "hired" or (not kind and fold(text) == "hired")
                key = next(iter(uuids(str(row[2].get("id") or ""))), "") or made_id("archive_reason", fold(text))
                self._put(
                    row,
                    "archive_reasons",
                    {"id": key, "text": text, "status": "active", "type": "hired" if hired else "non-hired"},
                )

    def _meet(self, kind: str, roles: tuple[str, ...]) -> None:
        """Learn users by address before anybody is named by name only."""
        for group in self._scratch.groups(kind):
            for _, _, row in group:
                for role in roles:
                    if row.get(f"{role}_email"):
                        self._lists.user(row, role)

    # ---- people --------------------------------------------------------------------------------------------------
    def _candidates(self, rows: list[Row], *, shared: bool) -> None:
        made = people.candidacies(rows, shared=shared)
        for one in made:
            key, row = one.key, one.row[2]
            body = people.opportunity(key, row, self._lists, profile=made[0].key)
            self._tell_others(one)
            if isinstance(body, dict):
                self._told.made["opportunities"] += not lever_id(row) or key != lever_id(row)
                self._told.made["contacts"] += not uuids(str(row.get("contact") or ""))
                self._told.made["opportunities without a word on consent"] += 1
                for field, kind in (("resume", "resumes"), ("files", "files")):
                    if row.get(field):
                        name_of(self._scratch, str(row[field]), key, kind)
            parent = body["contact"]["id"] if isinstance(body, dict) else ""
            self._put(one.row, "opportunities", body, parent)

    def _tell_others(self, one: people.Candidacy) -> None:
        """The other rows of a candidacy: used where they say nothing else, named where they do."""
        lost = one.lost()
        for other in one.others:
            told = self._files[other[0]]
            told.remarks["rows of one candidacy: the newest stands"] += 1
            if any(other is each for each in lost):
                told.merged.append(other[1])
            else:
                told.n_used += 1

    def _shared(self, kind: str, key_of: Callable[[Item], str]) -> set[str]:
        """Keys that several groups of rows have; such groups follow each other (see `rows._group`)."""
        shared: set[str] = set()
        last = ""
        for group in self._scratch.groups(kind):
            key = key_of(group[0][2])
            if key and key == last:
                shared.add(key)
            last = key
        return shared

    def _put_together(self) -> None:
        """Each opportunity with its contact and its application as objects, wherever the dump had them."""
        for key, parent, body in self._scratch.items("opportunities"):
            whole = self._with_contact(key, body)
            whole = self._with_application(key, whole)
            contact = str(whole["contact"]["id"])
            if whole is not body or contact != parent:
                self._scratch.drop("opportunities", key)
                self._scratch.put("opportunities", key, contact, whole, rank=API)
            if self._scratch.has("opportunities_deleted", key):
                self._scratch.drop("opportunities", key)

    def _with_contact(self, key: str, body: Item) -> Item:
        if isinstance(body["contact"], dict):
            return body
        lever = str(body["contact"])
        apart = self._scratch.get("contacts", lever)
        place = body.get("location")
        contact = apart or {
            "id": lever, "name": body.get("name"), "headline": body.get("headline"),
            "isAnonymized": bool(body.get("isAnonymized")),
            "location": {"name": place} if isinstance(place, str) else place,
            "emails": body.get("emails") or [], "phones": body.get("phones") or [],
        }  # fmt: skip
        self._told.made["contacts put together from their opportunity"] += apart is None
        return body | {"contact": contact}

    def _with_application(self, key: str, body: Item) -> Item:
        """Applications as objects; one that is an id only is looked up, and counted where it is nowhere."""
        held = body.get("applications") or []
        if all(isinstance(one, dict) for one in held) and held:
            return body
        found = []
        ids = [one for one in held if isinstance(one, str)] or self._scratch.children("applications", key)
        for one in ids:
            apart = self._scratch.get("applications", one)
            self._told.made["applications of which only the id is known"] += apart is None
            found.append(apart or {"id": one, "opportunityId": key})
        return body | {"applications": found} if found else body

    # ---- what hangs on them --------------------------------------------------------------------------------------
    def _owner(self, row: Row) -> str:
        """The opportunity a row hangs on; empty (and the row refused) when it names none that is there."""
        named = lever_id(row[2])
        if named and self._scratch.has("opportunities", named):
            return named
        self._refuse(row, NO_OWNER if named else BY_NAME)
        return ""

    def _notes(self) -> None:
        for group in self._scratch.groups("notes"):
            for row in group:
                owner = self._owner(row)
                if not owner:
                    continue
                if not isinstance(row[2].get("created"), int):
                    self._refuse(row, "no column says when it was written")
                    continue
                self._put(row, "notes", talk.note(owner, row[2], self._lists), owner)
                told = self._files[row[0]]
                if "secret" not in row[2]:
                    told.remarks["notes of which nothing says whether they are secret"] += 1
                    told.more["secret"] = "no cell says whether a note is secret: such notes move as open ones"
                elif yes(str(row[2]["secret"])) is None:
                    told.remarks["notes with an odd word on secrecy: they count as secret"] += 1

    def _feedback(self) -> None:
        shared = self._shared("feedback", lambda row: str(row.get("id") or ""))
        for group in self._scratch.groups("feedback"):
            owners = [self._owner(row) for row in group]  # one and the same, for it is in the key of the group
            if not owners[0]:
                continue
            form = form_of(group, lambda file: self._files[file].entry.relative)
            body = talk.feedback(
                owners[0], [row[2] for row in form.rows], self._lists, shared=str(group[0][2].get("id") or "") in shared
            )
            if isinstance(body, str):
                for row in group:
                    self._refuse(row, body)
                continue
            self._put(form.rows[0], "feedback", body, owners[0])
            for row in (*form.rows[1:], *form.alike, *(row for one in form.otherwise for row in one)):
                self._files[row[0]].n_used += 1
            for row in form.alike:
                self._files[row[0]].remarks["rows of feedback that another table holds, too: counted once"] += 1
            for one in form.otherwise:
                self._files[one[0][0]].differ("feedback", body["id"], stands="the fullest")

    def _interviews(self) -> None:
        for group in self._scratch.groups("interviews"):
            for row in group:
                owner = self._owner(row)
                if owner and not isinstance(row[2].get("date"), int):
                    self._refuse(row, "no column says when it was")
                elif owner:
                    self._put(row, "interviews", talk.interview(owner, row[2], self._lists), owner)

    def _orphans(self) -> None:
        """Children of a dump that hang on nothing: named, for they cannot be moved."""
        lost: Counter[str] = Counter()
        for stream in CHILDREN:
            for key, parent, _ in self._scratch.items(stream):
                if not self._scratch.has("opportunities", parent):
                    gone = bool(parent) and self._scratch.has("opportunities_deleted", parent)
                    lost[stream] += not gone
                    self._scratch.drop(stream, key)
        for stream, n in sorted(lost.items()):
            if n:
                text = f"{n:,} {stream} hang on no opportunity of this export and are left out"
                self._told.need(f"file-in:orphans-{stream}-{n}", text)

    def _manifest(self) -> None:
        for group in self._scratch.groups("manifest"):
            for row in group:
                owner = self._owner(row)
                if owner:
                    kind = fold(str(row[2].get("kind") or ""))
                    resume = kind.startswith(("resume", "résumé", "cv"))
                    name_of(self._scratch, str(row[2].get("file") or ""), owner, "resumes" if resume else "")
                    self._files[row[0]].n_used += 1
