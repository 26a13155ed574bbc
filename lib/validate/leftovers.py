"""Rows of the ledger that the plan in force does not hold: writes of an earlier plan, and what became of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from lib.store.ledger import Ledger
from lib.validate.expected import FILES
from lib.validate.findings import Findings, Subject
from lib.validate.target import Target

OPEN = ("intended", "unknown", "again", "parked")
_OBJECTS = {
    "candidate.createNote": "note", "applicationFeedback.submit": "feedback", **dict.fromkeys(FILES, "file"),
}  # fmt: skip


def name_leftovers(
    ledger: Ledger, target: Target, *, links: Mapping[str, str], planned_files: Container[str], findings: Findings
) -> None:
    """Every row of the ledger without a row of the plan: open ones, and texts and files that an earlier plan wrote.

    `planned_files` are Lever ids: a file that is uploaded as another kind of file now is still planned. Candidates,
    applications and jobs are found by their links. Notes cannot be listed as a whole: they are taken to stand there.
    """
    whole = (one for one in findings.differences if one["field"] == "(exists)")  # then nothing of it is told once more
    told = {one["ashby_id"] for one in whole if one["kind"] in ("surplus", "doubled")}
    for row_id, state, ashby_id in ledger.off_plan(*OPEN, "done"):
        kind, _, rest = row_id.partition("/")
        name, lever_id = _OBJECTS.get(kind, ""), rest.partition("/")[2].partition("/")[0]
        about = Subject(name or kind, lever_id, ashby_id)
        if state in OPEN:
            what = f"row {row_id} is {state}, and the plan in force does not hold it: nobody knows what became of it"
            findings.differ(about, "(row)", kind="surplus", detail=what)
            continue
        if kind == "candidate.addTag":
            _tag(rest, links, target, told=told, findings=findings)
            continue
        stands = ashby_id in {"file": target.files, "feedback": target.feedback}.get(name, {ashby_id})
        if name and stands and ashby_id not in told and not (name == "file" and lever_id in planned_files):
            what = f"row {row_id} was made by an earlier plan; the plan in force does not hold it"
            findings.differ(about, "(exists)", kind="surplus", detail=what)


def _tag(rest: str, links: Mapping[str, str], target: Target, *, told: set[str], findings: Findings) -> None:
    """A tag that Lever no longer has, on a candidate who is still in the plan: no row takes a tag away."""
    _, person, title = rest.split("/", 2)
    candidate = links.get(f"candidate:{person}", "")
    tags = {_plain(tag.get("title")) for tag in (target.candidates.get(candidate) or {}).get("tags") or []}
    if _plain(title) in tags and candidate not in told:
        about, what = Subject("tag on a candidate", person, candidate), "a tag that Lever no longer has stands there"
        findings.differ(about, "tags", kind="surplus", detail=what, severity="warning")


def _plain(title: Any) -> str:
    return str(title or "").strip().casefold()
