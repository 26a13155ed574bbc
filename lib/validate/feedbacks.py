"""Feedback of the plan against `applicationFeedback.list`, which shows all of it: values, author, form, application."""

from __future__ import annotations

from lib.validate.expected import Piece
from lib.validate.findings import Findings, Subject
from lib.validate.target import Target, digest


def compare_feedback(piece: Piece, target: Target, *, why: str, findings: Findings) -> None:
    """Compare one submission, found by its id or by its marker line."""
    found = target.feedback.get(piece.ashby_id) or target.marked_feedback(piece.marker)
    about = Subject("feedback", piece.lever_id, piece.ashby_id, why)
    findings.check(about, "(exists)", same=found is not None, kind="missing", detail=f"{piece.marker} is not there")
    if found is None:
        return
    body = piece.body
    if found["applicationId"]:
        same = found["applicationId"] == body["applicationId"]
        findings.check(about, "application", same=same, detail=f"found on {found['applicationId']}")
    if found["formId"]:
        same = found["formId"] == body["formDefinitionId"]
        findings.check(about, "form", same=same, detail=f"sent {body['formDefinitionId']}, found {found['formId']}")
    if "userId" in body:
        same = found["userId"] == body["userId"]
        findings.check(about, "author", same=same, detail=f"sent {body['userId']}, found {found['userId'] or 'none'}")
    for one in body["feedbackForm"]["fieldSubmissions"]:
        there = found["values"].get(one["path"])
        told = f"field {one['path']}: " + ("lacks" if there is None else "another value")
        kind = "missing" if there is None else "different"
        findings.check(about, "values", same=there == digest(one["value"]), kind=kind, detail=told)
