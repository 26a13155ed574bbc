"""One customer between two changing companies: what may be done at any moment, and what must hold after each of it."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import reconcile
from conftest import CUSTOMER, Sandbox, decide
from life_tellings import tellings, untold
from reconcile import MARKER, WHOLE
from reconcile_text import digits

from lib import steps, workbook
from lib.store.ledger import Ledger, Planned
from lib.workbook import Workbook

Json = dict[str, Any]
LOST = ("reset_after", "html", "no_success", "truncate")
NEVER_CHANGED_BY_A_CALL = {
    "note_edit", "note_comment", "feedback_edit", "merge", "application_delete", "posting_edit",
    "contact_edit", "user_deactivate", "repost", "confidentiality", "application_edit",
}  # fmt: skip
"""Edits after which a text that was loaded may read otherwise: only such rows may be parked as changed."""


RARER = [
    "application_edit", "repost", "confidentiality", "offer_status", "interview_edit", "posting_new", "user_new",
    "user_edit", "user_reactivate", "user_deactivate", "opportunity_new", "person_new", "note_new", "interview_new",
    "offer_new", "snooze", "follow", "sourced_by",
]  # fmt: skip
"""Edits that happen only when they are named, and those that make use of what they bring."""


RECORDS = ("opportunities", "notes", "feedback", "forms")  # of the truth
OWN_NOTES = ("note", "feedback", "form", "opportunity")  # markers that name such a record


class DiedError(Exception):
    """The end of the process, as the seam plays it."""


def deadly(after: int) -> Any:
    """A seam that dies at the `after`-th moment of a load, and goes on dying: every worker stops."""
    left = [after]

    def seam(at: str, row: Planned) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise DiedError(at)

    return seam


class Life:
    """One customer, the sandbox, and what is remembered to judge the next state by."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.book: Workbook = workbook.open_customer(CUSTOMER)
        self.planned = self.loaded = False
        self.allowed: set[str] = set()  # contacts that may stand in Ashby, as Lever was when it was last read
        self.unwanted: set[str] = set()  # records that Lever, as it was last read, has taken back or must not give
        self.forbidden: set[str] = set()  # the same, when the plan was made
        self.theirs: dict[tuple[str, str, str], Any] = {}  # what people have set in Ashby by hand
        self.strangers: set[str] = set()  # candidates that people have added in Ashby
        self.state: Json = sandbox.state
        self.log: list[str] = []
        self.silent: list[str] = []  # what is wrong in Ashby in the end, and told by nobody

    def close(self) -> None:
        """Let go of the customer."""
        self.book.close()

    def reopened(self) -> None:
        """The process starts again."""
        self.book.close()
        self.book = workbook.open_customer(CUSTOMER)

    # ---- what people do --------------------------------------------------------------------------------------------
    def edit_lever(self, seed: int, n: int, kinds: list[str] | None = None) -> list[Json]:
        """Recruiters at work in Lever."""
        body = {"n": n, "seed": seed} | ({"kinds": kinds} if kinds else {})
        made = self.sandbox.ask("POST", "/edits", body)
        self.log += [f"lever {one['kind']}" for one in made]
        return made

    def edit_lever_so(self, *edits: Json) -> list[Json]:
        """These edits in Lever."""
        return self.sandbox.ask("POST", "/edits", {"edits": list(edits)})

    def edit_ashby(self, seed: int) -> None:
        """A recruiter at work in Ashby, on what was loaded; nothing while there is nothing."""
        chance = random.Random(seed)
        ours = sorted((one for one in self.state["candidates"] if contacts_of(one)), key=contacts_of)
        if not ours:
            return
        candidate = chance.choice(ours)
        kind = chance.choice(["name", "phone", "headline", "stage", "note", "stranger"])
        self.log.append(f"ashby {kind}")
        getattr(self, f"_ashby_{kind}")(chance, candidate, seed)
        self.state = self.sandbox.state

    def _ashby_name(self, chance: random.Random, candidate: Json, seed: int) -> None:
        body = {"candidateId": candidate["id"], "name": f"By Hand {seed}", "sendNotifications": False}
        self.sandbox.ashby("candidate.update", body)
        self.theirs["candidates", candidate["id"], "name"] = f"By Hand {seed}"

    def _ashby_phone(self, chance: random.Random, candidate: Json, seed: int) -> None:
        number = f"+1 555 {seed % 10_000:04d}"
        body = {"candidateId": candidate["id"], "phoneNumber": number, "sendNotifications": False}
        self.sandbox.ashby("candidate.update", body)
        self.theirs["candidates", candidate["id"], "primaryPhoneNumber"] = number

    def _ashby_headline(self, chance: random.Random, candidate: Json, seed: int) -> None:
        fields = {one["title"]: one["id"] for one in self.state["custom_fields"] if one["objectType"] == "Candidate"}
        if "Lever headline" not in fields:
            return
        body = {"objectId": candidate["id"], "objectType": "Candidate", "fieldId": fields["Lever headline"]}
        self.sandbox.ashby("customField.setValue", body | {"fieldValue": f"by hand {seed}"})
        self.theirs["candidates", candidate["id"], "headline"] = f"by hand {seed}"

    def _ashby_stage(self, chance: random.Random, candidate: Json, seed: int) -> None:
        own = [one for one in self.state["applications"] if one["candidateId"] == candidate["id"]]
        if not own:
            return
        application = chance.choice(sorted(own, key=lambda one: one["createdAt"]))
        plan = application["currentInterviewStage"]["interviewPlanId"]
        stages = [
            one for one in self.sandbox.ashby("interviewStage.list", {"interviewPlanId": plan})
            if one["type"] in ("Active", "Offer") and one["id"] != application["currentInterviewStage"]["id"]
        ]  # fmt: skip
        moved = {"applicationId": application["id"], "interviewStageId": chance.choice(stages)["id"]}
        self.sandbox.ashby("application.changeStage", moved)
        shown = self.sandbox.ashby("application.info", {"applicationId": application["id"]})
        event = max(shown["applicationHistory"], key=lambda one: one["stageNumber"])
        self.theirs["applications", application["id"], f"event {event['id']}"] = event["stageId"]

    def _ashby_note(self, chance: random.Random, candidate: Json, seed: int) -> None:
        made = self.sandbox.ashby("candidate.createNote", {"candidateId": candidate["id"], "note": f"by hand {seed}"})
        self.theirs["candidates", candidate["id"], f"note {made['id']}"] = f"by hand {seed}"

    def _ashby_stranger(self, chance: random.Random, candidate: Json, seed: int) -> None:
        """Somebody adds a person again who was loaded already."""
        body = {"name": candidate["name"]}
        if candidate["emailAddresses"]:
            body["email"] = candidate["emailAddresses"][0]["value"]
        made = self.sandbox.ashby("candidate.create", body)
        self.strangers.add(made["id"])
        self.theirs["candidates", made["id"], "name"] = candidate["name"]

    # ---- what the customer does ------------------------------------------------------------------------------------
    def read(self, reread: bool | str) -> None:
        """Extract: all, or what has changed."""
        steps.extract(self.book, reread=reread)
        truth = self.sandbox.truth
        self.readable = {contact for one in truth["people"] if one["expected"] == "load" for contact in one["contacts"]}
        unwanted = {
            one["id"] for kind in RECORDS for one in truth[kind] if one["expected"].startswith(("never", "draft"))
        }  # fmt: skip
        self.unwanted = unwanted if reread == "all" else self.unwanted & unwanted  # some deletions only this one sees
        self.log.append(f"read {reread}")

    def plan(self) -> None:
        """Dedupe, decide, map."""
        decide(self.book, self.sandbox)
        steps.map(self.book)
        self.planned, self.allowed, self.forbidden = True, self.readable, self.unwanted
        self.log.append("plan")

    def load(self, *, faults: list[Json] = [], dies: int = 0, sample: int = 0) -> bool:  # noqa: B006 - never changed
        """Load under faults, or until death; True when it came to its end."""
        self.sandbox.faults(*faults)
        seams = {"fail_at": deadly(dies)} if dies else {}
        self.log.append(f"load {dies or ''} {len(faults) or ''}")
        try:
            steps.load(self.book, execute=True, sample=sample, **seams)
        except DiedError:
            self.reopened()
            return False
        finally:
            self.sandbox.faults()
        self.loaded = True
        return True

    # ---- what must hold at any moment ------------------------------------------------------------------------------
    def judge(self, *, wrote: bool) -> None:
        """Compare the state of Ashby with the last one."""
        before, now = self.state, self.sandbox.state
        assert wrote or now["writes"] == before["writes"], "something was written without a load"
        doubled(now)
        stood = {contact for one in before["candidates"] for contact in contacts_of(one)}
        came = {contact for one in now["candidates"] for contact in contacts_of(one)} - stood
        assert came <= self.allowed, f"never to be loaded, and loaded: {sorted(came - self.allowed)}"
        fresh = (records_of(now) - records_of(before)) & self.forbidden
        assert fresh == set(), f"taken back in Lever, and loaded: {sorted(fresh)}"
        untouched(now, self.theirs)
        strange = [one for one in now["candidates"] if one["id"] in self.strangers]
        assert not any(one["files"] or one["notes"] or contacts_of(one) for one in strange), "ours, at a stranger"
        assert now["notified"] == 0
        self.state = now

    # ---- the end ---------------------------------------------------------------------------------------------------
    def finish(self) -> Any:
        """No faults any more: everything is read, decided, loaded, validated, and nothing is missing in silence."""
        self.read("all")
        self.plan()
        assert self.load()
        self.judge(wrote=True)
        proof = steps.validate(self.book)
        self._all_is_said(proof)
        again = steps.load(self.book, execute=True)
        assert again.n_writes == 0, f"a second load wrote {again.n_writes} times"
        self._parked_rows_have_a_cause()
        return proof

    def _all_is_said(self, proof: Any) -> None:
        told = tellings(proof, {one["id"]: one["title"] for one in self.sandbox.state["custom_fields"]})
        for (_, ashby_id, what), value in self.theirs.items():
            word, _, rest = what.partition(" ")
            word = f"phone {digits(value)}" if word == "primaryPhoneNumber" else word
            told[rest if word == "note" else ashby_id].add(f"theirs:{word}")
        for one in self.strangers:
            told[one].add("stranger")
        for one in self._without_posting():
            told[one].add("application_delete")
        people = {one["key"]: one["contacts"] for one in self.sandbox.truth["people"]}
        found = reconcile.problems(self.sandbox.truth | {"edited_since": True}, self.sandbox.state)
        wrong = [(kind, text) for kind, texts in found.items() for text in texts]
        self.silent = [line for kind, text in wrong if (line := untold(kind, text, told, people))]
        assert self.silent == [], "\n".join(["wrong in Ashby and told by nobody:", *self.silent, *self.log])

    def _without_posting(self) -> set[str]:
        """Candidacies whose application is gone: which of their tags repeat a posting, only the verdicts know still."""
        log = self.sandbox.ask("GET", "/edits")["log"]
        return {one["opportunity"] for one in log if one["kind"] == "application_delete"}

    def _parked_rows_have_a_cause(self) -> None:
        """Every row that is parked was changed in Lever, and by an edit that no call can follow."""
        edits = self.sandbox.ask("GET", "/edits")["log"]
        changed = [value for one in edits if one["kind"] in NEVER_CHANGED_BY_A_CALL for value in one.values()]
        causes = {str(one) for value in changed for one in (value if isinstance(value, list) else [value])}
        newer = {one["opportunity"] for one in edits if one["kind"] == "form_new"}  # takes an older one's field
        merged = any(one["kind"] == "merge" for one in edits)
        for row, entry in Ledger(self.book.store).entries("parked"):
            assert entry.code == "changed", (row.row_id, entry.code, entry.note)
            if not merged:
                around = {row.lever_id.partition(" ")[0], row.person, *self._parents(row)}
                may = causes | newer if "/form/" in row.row_id else causes
                assert around & may, f"{row.row_id} is parked and nothing was edited\n" + "\n".join(self.log)

    def _parents(self, row: Planned) -> Iterable[str]:
        for item in self.book.store.all("opportunities"):
            if row.lever_id.partition(" ")[0] in [one["id"] for one in item.get("applications") or []]:
                yield item["id"]
        for stream in ("notes", "feedback", "forms", "referrals"):
            parent = self.book.store.parents(stream).get(row.lever_id.partition(" ")[0])
            if parent:
                body = self.book.store.get("opportunities", parent) or {}
                yield parent
                yield from (str(one.get("posting")) for one in body.get("applications") or [])


def contacts_of(candidate: Json) -> list[str]:
    """The Lever contacts a candidate carries."""
    return [one for one in str(candidate["customFields"].get("Lever contact ID") or "").split(",") if one]


def records_of(state: Json) -> set[str]:
    """The ids of candidacies, notes, feedback and forms of Lever that stand in Ashby."""
    found = {str(one["customFields"].get("Lever opportunity ID") or "") for one in state["applications"]}
    texts = [note.get("content") or "" for one in state["candidates"] for note in one["notes"]]
    texts += [json.dumps(form["submittedValues"]) for one in state["applications"] for form in one["feedback"]]
    found |= {marks[-1][1] for text in texts if (marks := MARKER.findall(text)) and marks[-1][0] in OWN_NOTES}
    return found - {""}


def doubled(state: Json) -> None:
    """Nothing of ours stands twice."""
    found: Counter[tuple[str, str]] = Counter()
    for candidate in state["candidates"]:
        found.update(("contact", one) for one in contacts_of(candidate))
        names = Counter(("file", f"{candidate['id']} {file['name']}") for file in candidate["files"])
        found.update(names)
        for note in candidate["notes"]:
            marks = WHOLE.findall(note.get("content") or "")
            found.update([("note", marks[-1])] if marks else [])
            kind, lever_id, part, _ = MARKER.findall(marks[-1])[-1] if marks else ("", "", "", "")
            found.update([("feedback", lever_id)] if kind == "feedback" and part in ("", "1") else [])
    for application in state["applications"]:
        own = application["customFields"].get("Lever opportunity ID")
        found.update([("opportunity", str(own))] if own else [])
        for form in application["feedback"]:
            marks = MARKER.findall(json.dumps(form["submittedValues"]))
            found.update([("feedback", marks[-1][1])] if marks else [])
    files = Counter(re.sub(r"^\d+ ", "", key.partition(" ")[2]) for kind, key in found if kind == "file")
    twice = sorted(key for key, n in found.items() if n > 1)
    assert twice == [], f"doubled: {twice}"
    assert max(files.values(), default=1) == 1, f"at two candidates: {[one for one, n in files.items() if n > 1]}"


def untouched(state: Json, theirs: dict[tuple[str, str, str], Any]) -> None:
    """What people have set in Ashby stands as they set it."""
    by_id = {kind: {one["id"]: one for one in state[kind]} for kind in ("candidates", "applications")}
    for (kind, ashby_id, what), value in theirs.items():
        one = by_id[kind][ashby_id]
        word, _, rest = what.partition(" ")
        now = {
            "name": lambda one=one: one["name"],
            "primaryPhoneNumber": lambda one=one: (one.get("primaryPhoneNumber") or {}).get("value"),
            "headline": lambda one=one: one["customFields"].get("Lever headline"),
            "note": lambda one=one, rest=rest: {it["id"]: it["content"] for it in one["notes"]}.get(rest),
            "event": lambda one=one, rest=rest: {it["id"]: it["stageId"] for it in one["history"]}.get(rest),
        }[word]()
        assert now == value, f"{kind} {ashby_id}: {what} was set to {value!r} by hand and is {now!r}"
