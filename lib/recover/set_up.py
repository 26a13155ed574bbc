"""Rows that come before all people: custom fields, tags and jobs, found in Ashby by mark, records or looks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lib.normalize import iso_to_ms
from lib.recover.finding import Finding, parked, read_back, set_on, several
from lib.recover.ours import jobs_of
from lib.recover.world import Item
from lib.store import dumps
from lib.store.ledger import CONFLICT, Planned
from lib.store.marks import Outcome

HOUR = 3_600_000
JOB_FIELD = "custom_field:Job:Lever posting ID"


class SetUp:
    """Finds the set-up rows. `opportunities` is {posting: those whose application the plan puts on its job}."""

    def __init__(self, finding: Finding, opportunities: dict[str, list[str]]) -> None:
        self.finding = finding
        self.world = finding.world
        self.opportunities = opportunities
        self._looks: dict[str, list[str]] = {}
        self._postings: set[str] = set()
        self._marked: set[str] = set()

    def find(self, rows: list[Planned], closed: set[str]) -> list[Outcome]:
        """What became of each row that is not `closed`, in order."""
        self._postings = {row.lever_id for row in rows if row.lever_type == "posting"}
        jobs = [row for row in rows if row.kind == "job.create"]
        made = []
        for row in rows:
            if row.kind == "job.create" and jobs:  # fields come before jobs, and say whether a load has begun
                self._looks, jobs = self._jobs_by_looks(jobs), []
            if row.row_id not in closed:
                made.append(self._row(row))
        return made

    def _row(self, row: Planned) -> Outcome:
        makers = {
            "link": self._link, "customField.create": self._field, "candidateTag.create": self._tag,
            "job.create": self._job,
        }  # fmt: skip
        if row.kind in makers:
            return makers[row.kind](row)
        try:
            body = self.finding.filled(row.body)
        except KeyError:
            return Outcome(row, "absent")
        setters = {"job.setStatus": self._status, "customField.updateSelectableValues": self._options}
        if row.kind in setters:
            return setters[row.kind](row, body)
        return read_back(row, body, self.world.jobs.get(body["objectId"], {}))

    def _link(self, row: Planned) -> Outcome:
        ashby_id = row.body["ashbyId"]
        mark = self.finding.marks.get(ashby_id)
        snapshot = mark.snapshot if mark and row.body["ashbyType"] == "candidate" else None
        return self.finding.done(row, "link", ashby_id, origin="existing", snapshot=snapshot)

    def _field(self, row: Planned) -> Outcome:
        named = [
            one for one in self.world.fields.values()
            if (one["objectType"], one["title"]) == (row.body["objectType"], row.body["title"])
        ]  # fmt: skip
        hits = [one["id"] for one in named if _is_field(one, row.body)]
        if len(hits) == 1:
            return self.finding.done(row, "title", hits[0], request=row.body)
        if hits:
            return parked(row, several(hits))
        ids = [one["id"] for one in named]
        told = f"a field of this title is archived or of another type: {', '.join(ids)}"
        return self.finding.gone_or(row, (), told if ids else "")

    def _tag(self, row: Planned) -> Outcome:
        hits = [one["id"] for one in self.world.tags.values() if one.get("title") == row.body["title"]]
        if len(hits) == 1:
            return self.finding.done(row, "title", hits[0], request=row.body)
        return parked(row, several(hits)) if hits else Outcome(row, "absent")

    def _options(self, row: Planned, body: dict[str, Any]) -> Outcome:
        field = self.world.fields.get(body["customFieldId"], {})
        found = read_back(row, body, field)
        mark = self.finding.marks.get(body["customFieldId"])
        if found.state == "done" and mark is not None and mark.snapshot is not None:
            return Outcome(row, "done", "state", set_on(body), request=body, touched=(mark.ashby_id, mark.snapshot))
        return found

    # ---- jobs ----------------------------------------------------------------------------------------------------
    def _job(self, row: Planned) -> Outcome:
        hits = self.world.by_posting.get(row.lever_id, [])
        if len(hits) == 1:
            self._marked.add(hits[0])
            return self.finding.done(row, "marker", hits[0], request=row.body)
        if hits:
            return parked(row, several(hits))
        hits = sorted(jobs_of(self.world, self.opportunities.get(row.lever_id, ())) - self._taken())
        if len(hits) == 1:
            self._marked.add(hits[0])
            return self.finding.done(row, "records", hits[0], request=row.body)
        hits = [one for one in self._looks.get(row.row_id, []) if one not in self._taken()]
        if len(hits) == 1 and self._certain:
            return self.finding.done(row, "fingerprint", hits[0], request=row.body)
        why = f"unmarked jobs that look like this one, and nobody knows whether a load made them: {', '.join(hits)}"
        return self.finding.gone_or(row, self.world.jobs.keys(), why if hits else "")

    @property
    def _certain(self) -> bool:
        """True when it is known since when loads have run: older jobs are then known to be somebody else's."""
        return self.finding.since_ms is not None

    def _taken(self) -> set[str]:
        """Jobs that are another posting's, by mark or by a link."""
        marked = (self.world.by_posting.get(posting, ()) for posting in self._postings)
        return {key for keys in marked for key in keys} | self.finding.held

    def _jobs_by_looks(self, rows: list[Planned]) -> dict[str, list[str]]:
        """{row: unmarked jobs that look like it}; rows that look alike share them out in the order they were made.

        Rows of one look are one chain of the load, so that the first one made the first job.
        """
        groups: dict[str, list[Planned]] = defaultdict(list)
        for row in rows:
            if row.lever_id not in self.world.by_posting and row.link not in self.finding.links:
                groups[dumps(row.body)].append(row)
        found: dict[str, list[str]] = {}
        for group in groups.values():
            jobs = [one for one in self.world.jobs.values() if self._looks_like(one, group[0].body)]
            ids = [str(one["id"]) for one in sorted(jobs, key=lambda one: (str(one.get("createdAt")), one["id"]))]
            fits = self._certain and len(ids) <= len(group)
            shared = [[one] for one in ids] if fits else [ids] * len(group)
            found |= {row.row_id: hits for row, hits in zip(group, shared, strict=False) if hits}
        return found

    def _looks_like(self, job: Item, body: dict[str, Any]) -> bool:
        if job["id"] in self._taken() or not self._has_begun():
            return False
        same = job.get("title") == body["title"] and job.get("locationId") == body["locationId"]
        since = self.finding.since_ms
        late = since is None or not job.get("createdAt") or iso_to_ms(job["createdAt"]) >= since - HOUR
        return same and job.get("departmentId") in (None, body["teamId"]) and late

    def _has_begun(self) -> bool:
        """A load makes the fields before the jobs: without the field, no job is ours."""
        return JOB_FIELD in self.finding.links

    def _status(self, row: Planned, body: dict[str, Any]) -> Outcome:
        """Whoever set another status later wins; a job that a load left half way goes on where it stands."""
        now = str(self.world.jobs.get(body["jobId"], {}).get("status"))
        if now == body["status"] or (now == "Closed" and body["status"] == "Open"):
            return Outcome(row, "done", "state", set_on(body), request=body)
        if now == "Archived" or (body["jobId"] in self._marked and now != "Draft"):
            return Outcome(row, "done", "state", set_on(body), CONFLICT, "status", request=body)
        return Outcome(row, "again", note=f"the job is {now}")


def _is_field(found: Item, body: dict[str, Any]) -> bool:
    if found.get("isArchived") or found.get("fieldType") != body["fieldType"]:
        return False
    options = {one["value"] for one in found.get("selectableValues") or []}
    return {one["value"] for one in body.get("selectableValues", [])} <= options


def unlike(rows: Iterable[Planned], fields: Iterable[Item], marked: Iterable[str]) -> set[str]:
    """Marked custom fields that the plan would make otherwise than they are: they were not ours after all."""
    wanted = {(row.body["objectType"], row.body["title"]): row.body for row in rows if row.kind == "customField.create"}
    mine = set(marked)
    return {
        str(one["id"])
        for one in fields
        if one["id"] in mine and not one.get("isArchived")
        and (body := wanted.get((one["objectType"], one["title"]))) is not None
        and not _is_field(one, body)
    }  # fmt: skip
