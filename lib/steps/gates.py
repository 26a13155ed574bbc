"""What must hold of the last reading of Lever before a plan is made of it."""

from __future__ import annotations

from lib.errors import GateError
from lib.extract import aside
from lib.extract.aside import rows as unread_rows
from lib.extract.reports import undelivered
from lib.steps import exported
from lib.steps.reading import accepted
from lib.store import FileRow
from lib.store.heads import states
from lib.workbook import Workbook


def files_gate(book: Workbook) -> None:
    """GateError that names the files whose bytes could not be fetched, unless somebody has accepted their loss.

    A file that Lever itself cannot deliver (404, 422 and their like) is a loss that is listed, and asked for on three
    occasions; the ones here got no answer, and may come with the next run. Where it cannot deliver half of very many,
    that stops here, too. So does, of an export, whatever would be left out.
    """
    exported.export_gate(book, accepted=accepted(book))
    failed = [row for row in book.store.files() if row.state == "failed" and _still_in_lever(book, row)]
    red = [row for row in failed if f"file:{row.lever_id}" not in accepted(book)]
    if red:
        names = "; ".join(
            f"{row.stream} {row.lever_id} of opportunity {row.opportunity_id}: {row.reason}" for row in red[:10]
        )
        raise GateError(
            f"The bytes of {len(red)} files could not be fetched: {names}.",
            hint="Run 02_extract again, or accept the loss of one in overrides.csv (id file:<id>, who, when, why).",
        )
    _undelivered_gate(book)


def _undelivered_gate(book: Workbook) -> None:
    """GateError that names the kinds of files of which Lever delivers so few that a right may lack, until accepted."""
    found = [row for row in undelivered(book.store) if f"unavailable:{row[0]}" not in accepted(book)]
    if found:
        names = "; ".join(f"{n:,} of {n_all:,} {stream} (id unavailable:{stream})" for stream, n, n_all in found)
        raise GateError(
            f"Lever says of far too many files that it has no bytes to give: {names}.",
            hint="Does Lever show them, and may the key read files? The table of files without bytes names them. Mend "
            "it and run 02_extract again on another day; or accept it in overrides.csv (the id above, who, when, why).",
        )


def gone_gate(book: Workbook) -> None:
    """GateError that names opportunities which Lever gives no more without naming them as deleted, until accepted.

    Really deleted, or does the key see less than before? Only somebody who looks in Lever can tell.
    """
    known = accepted(book)
    ids = [row["lever_id"] for row in book.store.results("extract", "gone")]
    red = [one for one in ids if f"gone:{one}" not in known] if "shrunk:opportunities" not in known else []
    if red:
        more = f" and {len(red) - 10} more" if len(red) > 10 else ""
        raise GateError(
            f"{len(red)} opportunities were read before, are not to be had any more, and are not in Lever's list of "
            f"deleted ones: {', '.join(red[:10])}{more}.",
            hint="Look in Lever: does the key still see everything (confidential records, too)? If they are really "
            "deleted, or confidential by now and to be left out, accept it in overrides.csv (id gone:<id>, or "
            "shrunk:opportunities for all; who, when, why).",
        )


def unread_gate(book: Workbook) -> None:
    """GateError that names each list, opportunity and posting that Lever could not give, until that is accepted.

    All else is here; every run asks for them again.
    """
    known = accepted(book)
    found = [row for row in unread_rows(book.store) if f"unread:{row['stream']}:{row['lever_id']}" not in known]
    if found:
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        names = "; ".join(
            f"{_ONES.get(row['stream'], row['stream'] + ' of opportunity')} {row['lever_id']} "
            f"(status {row['status']}, {row['n_tries']} readings)"
            for row in found[:10]
        )
        raise GateError(
            f"{len(found)} child lists, postings or opportunities could not be read: {names}{more}.",
            hint="Run 02_extract again: it asks for them once more. If it stays so, ask Lever's support with these "
            "ids; or accept that what such a list holds does not move, that candidacies for such a posting move as "
            "those without posting, and such an opportunity as it was read before, in overrides.csv "
            "(id unread:<stream>:<id>, who, when, why).",
        )


_ONES = {"postings": "posting", "opportunities": "opportunity"}


def quiet_gate(book: Workbook) -> None:
    """GateError when something still changed in Lever during the last pass, until somebody has accepted that.

    What is mapped then is no state that Lever ever was in: some candidacies as they were before others.
    """
    n_changed = int(book.store.meta("extract.unsettled") or 0)
    if n_changed and "stale:unsettled" not in accepted(book):
        raise GateError(
            f"{n_changed:,} opportunities still changed during the last pass over Lever: not all of it is here.",
            hint="Have the work in Lever stopped and run 02_extract again; or accept it in overrides.csv "
            "(id stale:unsettled, who, when, why).",
        )


def _still_in_lever(book: Workbook, row: FileRow) -> bool:
    return book.store.get(row.stream, row.lever_id.partition(":")[0]) is not None


def lists_gate(book: Workbook) -> None:
    """GateError while child lists wait to be read: of what is new or has changed, notes and files are not here yet.

    A reading that was cut off leaves such opportunities, and so does an audit that is made again. What Lever could not
    give is another matter (`unread_gate`).
    """
    known, read_for = aside.known(book.store), book.store.windows(aside.BASIS)
    found = states(book.store, "opportunities", "children")
    left = [
        lever_id
        for lever_id, sha, basis in found
        if basis != sha and not (lever_id in known and read_for.get(lever_id) == sha)
    ]
    if left and "stale:cut-off" not in accepted(book):
        raise GateError(
            f"{len(left):,} opportunities are new or have changed in Lever, and their notes, feedback, forms and files "
            f"were not read since: the last reading was cut off. For example {', '.join(left[:3])}.",
            hint="Run 02_extract again: it goes on where it was. If Lever cannot be asked any more, accept that what "
            "has changed there since is missing, in overrides.csv (id stale:cut-off, who, when, why).",
        )
