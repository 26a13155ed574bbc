"""Notes that were to be private and are not: Ashby has made them, and no call takes them down or hides them.

Such a row is parked with the id of its note, never done. The run stops, because the next private note would fare alike.
Each later run looks first whether the note is still there: only when somebody has deleted it the row is sent again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

from lib.errors import FatalError, NotFoundError
from lib.load.lookup import note_of
from lib.store.ledger import PUBLIC, Planned

if TYPE_CHECKING:
    from lib.load import Load

NOTE = "was to be private and is not"
SHOWN = 10  # notes that one message names


def is_exposed(body: dict[str, Any], note: Any) -> bool:
    """True when `body` asks for a private note, and what Ashby shows of it does not say that it is."""
    return bool(body.get("isPrivate")) and not (isinstance(note, dict) and note.get("isPrivate") is True)


def expose(load: Load, row: Planned, body: dict[str, Any], ashby_id: str | None, **more: Any) -> NoReturn:
    """Park a row whose note is public, and stop."""
    load.ledger.settle(row, "parked", ashby_id=ashby_id, code=PUBLIC, note=NOTE, **more)
    load.settled()
    raise _error([(row, ashby_id, body["candidateId"])])


def settle_exposed(load: Load) -> None:
    """Look after all notes that earlier runs have found public; FatalError while one of them still is.

    One that was deleted is to be sent again, one that somebody has made private is done. Two looks, with the settling
    delay between them: a note that is not shown yet is not one that was deleted.
    """
    parked = ((row, entry) for row, entry in load.ledger.entries("parked") if entry.code == PUBLIC)
    waiting = [(row, entry.ashby_id) for row, entry in parked if f"candidate:{row.person}" in load.links]
    public: list[tuple[Planned, str | None, str]] = []
    for number in range(2):
        gone: list[tuple[Planned, str | None]] = []
        for row, ashby_id in waiting:
            body = load.filled(row.body)
            note = _shown(load, body, ashby_id)
            if note is None:
                gone.append((row, ashby_id))
            elif is_exposed(body, note):
                public.append((row, ashby_id, body["candidateId"]))
            else:
                call = {"request": body, "answer": {"found": "made private in Ashby"}}
                load.ledger.settle(row, "done", ashby_id=ashby_id, note="made private in Ashby", call=call)
        waiting = gone
        if gone and not number:
            time.sleep(load.settle_s)
    for row, _ in waiting:
        load.ledger.settle(row, "again", note="was public, and was deleted in Ashby")
    if public:
        raise _error(public)


def _shown(load: Load, body: dict[str, Any], ashby_id: str | None) -> dict[str, Any] | None:
    try:
        return note_of(load.ashby, body, ashby_id)
    except NotFoundError:  # with its candidate; was that one merged, the note is found again before it is sent
        return None


def _error(public: list[tuple[Planned, str | None, str]]) -> FatalError:
    row = public[0][0]
    told = "; ".join(f"note {note} of candidate {candidate}" for _, note, candidate in public[:SHOWN])
    more = f" and {len(public) - SHOWN} more" if len(public) > SHOWN else ""
    which = "that note" if len(public) == 1 else "those notes"
    others = f", and {len(public) - 1} more," if len(public) > 1 else ""
    return FatalError(
        f"Ashby did not make the note of {row.lever_type} {row.lever_id}{others} private ({told}{more}).",
        hint=f"Give the key access to private fields and delete {which} in Ashby, then run the step again. (One that "
        "is hidden by hand instead looks deleted to a key without that access, and would be written again.)",
    )
