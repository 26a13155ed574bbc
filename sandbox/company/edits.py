"""All kinds of edits by name, and how often each happens when nobody chooses."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.company import edits_account, edits_candidacies, edits_children, edits_people
from sandbox.company.editing import Edit, EditError, Editor, Switch
from sandbox.company.model import Company

WEIGHTS: dict[str, float] = {
    "stage": 10,
    "archive": 3,
    "reopen": 1,
    "hire": 1,
    "note_new": 6,
    "note_comment": 2,
    "note_edit": 2,
    "note_delete": 1,
    "feedback_new": 3,
    "feedback_edit": 2,
    "feedback_submit": 1,
    "feedback_delete": 1,
    "form_new": 1,
    "form_delete": 0.5,
    "file_new": 2,
    "file_replace": 1,
    "file_delete": 0.5,
    "resume_new": 1,
    "interview_new": 1,
    "interview_cancel": 0.5,
    "offer_new": 0.5,
    "tag": 3,
    "source": 1,
    "owner": 1,
    "contact_edit": 3,
    "person_new": 2,
    "opportunity_new": 2,
    "opportunity_delete": 1,
    "application_delete": 0.3,
    "merge": 0.5,
    "anonymise": 0.5,
    "consent": 0.3,
    "posting_edit": 0.5,
    "posting_close": 0.3,
    "user_deactivate": 0.2,
    "reapply": 0,
    "snooze": 0,
    "follow": 0,
    "sourced_by": 0,
    "posting_delete": 0,
    "application_edit": 0,
    "repost": 0,
    "confidentiality": 0,
    "offer_status": 0,
    "interview_edit": 0,
    "posting_new": 0,
    "user_new": 0,
    "user_edit": 0,
    "user_reactivate": 0,
}
"""How often each kind happens by itself; a kind with 0 has to be asked for by name."""

MODULES = (edits_candidacies, edits_people, edits_children, edits_account)
KINDS: dict[str, Edit] = {
    kind: next(getattr(module, kind) for module in MODULES if hasattr(module, kind)) for kind in WEIGHTS
}


def editor(company: Company, *, switch: Switch) -> Editor:
    """The editor of a company that knows every kind of edit."""
    return Editor(company, switch=switch, kinds=KINDS)


def weights(kinds: Iterable[str] | None) -> dict[str, float]:
    """How often each of the wanted kinds happens; EditError for an unknown one."""
    if kinds is None:
        return {kind: weight for kind, weight in WEIGHTS.items() if weight}
    wanted = list(kinds)
    unknown = sorted(set(wanted) - set(WEIGHTS))
    if unknown or not wanted:
        raise EditError(f"unknown kinds of edits: {', '.join(unknown)}")
    return {kind: WEIGHTS[kind] or 1 for kind in wanted}
