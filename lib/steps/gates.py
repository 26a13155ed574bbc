"""What must hold of the last reading of Lever before a plan is made of it."""

from __future__ import annotations

from lib.errors import GateError
from lib.extract import aside
from lib.steps.reading import accepted
from lib.store.heads import states
from lib.workbook import Workbook


def lists_gate(book: Workbook) -> None:
    """GateError while child lists wait to be read: of what is new or has changed, notes and files are not here yet.

    A reading that was cut off leaves such opportunities, and so does an audit that is made again. What Lever could not
    give is another matter (`unread_gate`).
    """
    known = aside.known(book.store)
    found = states(book.store, "opportunities", "children")
    left = [lever_id for lever_id, sha, basis in found if basis != sha and lever_id not in known]
    if left and "stale:cut-off" not in accepted(book):
        raise GateError(
            f"{len(left):,} opportunities are new or have changed in Lever, and their notes, feedback, forms and files "
            f"were not read since: the last reading was cut off. For example {', '.join(left[:3])}.",
            hint="Run 02_extract again: it goes on where it was. If Lever cannot be asked any more, accept that what "
            "has changed there since is missing, in overrides.csv (id stale:cut-off, who, when, why).",
        )
