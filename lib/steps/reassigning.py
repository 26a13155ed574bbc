"""reassign.csv: what stands in Ashby without the person who did it in Lever, for whoever gives them an account."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from lib.mapping.later import NEWER
from lib.mapping.scan import credited
from lib.mapping.settings import settings
from lib.mapping.source import Item, Source, age, ident
from lib.mapping.target import users_called
from lib.normalize import csv_safe
from lib.store.ledger import Ledger, Planned
from lib.store.reading import Reading
from lib.workbook import Workbook

FILE: Final = "reports/reassign.csv"
MADE: Final = "load.reassigned"
HEAD: Final = ("what", "ashby_application", "ashby_id", "lever_id", "lever_user", "credited_now")
PAGE: Final = 500  # rows that are in memory
_MEMBER: Final = {
    "candidate.create": "creditedToUserId", "application.create": "creditedToUserId",
    "applicationFeedback.submit": "userId",
}  # fmt: skip
_LATER: Final = {
    "candidate.create": f"candidate.update/person/{{}}/{NEWER}",
    "application.create": "application.update/opportunity/{}",
}  # fmt: skip
"""The row that changes what such a row has made."""
_WHAT: Final = {
    "candidate.create": "credit of the candidate", "application.create": "credit of the application",
    "applicationFeedback.submit": "author of the feedback",
}  # fmt: skip


def write(book: Workbook) -> int:
    """Write the file, ids only, and return its number of rows: feedback and applications whose credit is open.

    It stays as it is where nothing was written to Ashby, planned or decided since.
    """
    ledger = Ledger(book.store)
    state = [ledger.plan_hash(), ledger.last_ms(), book.params.policy.placeholder_user]
    known = book.store.meta(MADE) or {}
    if known.get("of") == state and (book.folder / FILE).is_file():
        return int(known["n_rows"])
    n_rows = 0
    with book.private_file(FILE) as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEAD)
        for row in _rows(book):
            writer.writerow(map(csv_safe, row))
            n_rows += 1
    book.store.put_meta(MADE, {"of": state, "n_rows": n_rows})
    return n_rows


def _rows(book: Workbook) -> Iterator[tuple[str, ...]]:
    named = users_called(book.store.ashby("users"), book.params.policy.placeholder_user)
    stands = {"", *(user["id"] for user in named)}
    ledger, source = Ledger(book.store), Source(Reading(book.store), settings(book.params.policy), now_ms=0)
    carried = {row.person for row in ledger.rows_of_kind("application.create")}  # whose credit an application carries
    for kind, member in _MEMBER.items():
        planned = ledger.rows_of_kind(kind)
        while page := list(islice(planned, PAGE)):
            entries = ledger.of(page)
            for row in page:
                entry = entries.get(row.row_id)
                if entry is None or entry.ashby_id is None:
                    continue
                body = row.body if entry.body_hash == row.body_hash else ledger.last_request(row.row_id) or row.body
                now = str(body.get(member, ""))
                if now not in stands or (kind == "candidate.create" and row.person in carried):
                    continue
                user = _user(source, ledger, row)
                if not user or _given_since(ledger, kind, row.lever_id):
                    continue
                application = entry.ashby_id if kind == "application.create" else _application(ledger, row.body)
                yield _WHAT[kind], application, entry.ashby_id, row.lever_id, user, now


def _given_since(ledger: Ledger, kind: str, lever_id: str) -> bool:
    """Whether a later row has given the credit of a candidate or an application."""
    later = _LATER.get(kind)
    entry = ledger.entry(row_id) if later and (row_id := later.format(lever_id)) else None
    if entry is None or entry.state != "done":
        return False
    return "creditedToUserId" in (ledger.last_request(entry.row_id) or {})


def _user(source: Source, ledger: Ledger, row: Planned) -> str:
    """The Lever user who is to be named; "" where Lever names nobody either."""
    if row.kind == "applicationFeedback.submit":
        return ident((source.reader.get("feedback", row.lever_id) or {}).get("user"))
    if row.kind == "application.create":
        opportunity = source.reader.get("opportunities", row.lever_id)
    else:
        opportunity = _newest(source, ledger, row.person)
    return ident(credited(source, opportunity)[1]) if opportunity else ""


def _newest(source: Source, ledger: Ledger, person: str) -> Item | None:
    """The newest candidacy of somebody without an application, whose credit the candidate itself carries."""
    contacts = Reading(ledger.store).contacts([person]).get(person) or [person]
    found = (one for contact in contacts for one in source.opportunities(contact) if not source.never(one))
    return max(found, key=age, default=None)


def _application(ledger: Ledger, body: dict[str, Any]) -> str:
    return ledger.link(str((body.get("applicationId") or {}).get("$link", ""))) or ""
