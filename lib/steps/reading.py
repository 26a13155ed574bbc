"""Steps 1 and 2: what is there, and everything of Lever into the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from lib import audit as audits
from lib import extract as extraction
from lib.errors import GateError, UnauthorizedError
from lib.extract.aside import rows as unread_rows
from lib.extract.lists import confidential_too
from lib.steps import exported, forecasting, planning, scoring
from lib.steps.target import ENDPOINTS, read_candidates, read_target, version_finding
from lib.store import now_ms
from lib.store.heads import heads_of
from lib.store.ledger import Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

DRIFT = ["stream", "attribute", "what", "n_records", "ids"]
ABSENT = ["stream", "lever_id", "opportunity", "state", "reason", "attempts", "last_try", "final"]
DOUBTFUL = ["stream", "lever_id", "opportunity", "bytes", "reason"]
UNREAD = ["stream", "lever_id", "status", "n_tries"]
Frame = pd.DataFrame


@dataclass(frozen=True)
class AuditResult:
    """Tables of the audit, and the recommended route {route, why}.

    `forecast` has a row per step, `endpoints` one per endpoint that it asks; `n_probed` opportunities were read for it.
    `behaviour` says what both accounts answered to questions that their references leave open.
    `came` says what each file of an export is taken for, where Lever comes as files; `checklist` what is decided.
    """

    inventory: Frame
    findings: Frame
    losses: Frame
    forecast: Frame
    endpoints: Frame
    permissions: Frame
    behaviour: Frame
    checklist: Frame
    route: dict[str, Any]
    n_probed: int
    came: Frame


@dataclass(frozen=True)
class ExtractResult:
    """What is here now: objects per stream, files by state, drift from the contract, postings that are nowhere.

    `unlisted` are objects that a list did not show any more, and were kept: those of candidates, because Lever still
    gives them by their id; those of the account's short lists, because records of candidates may speak of them.
    `gone` are opportunities that Lever does not give any more and does not name as deleted, `unread` child
    lists, and opportunities and postings by their ids, that it could not give. `absent` are files without bytes,
    `doubtful` those that were kept though their size is not the told one, or their bytes differ each time; `ages` says
    since when the lists were read that change without a word. In `unsettled` opportunities something still changed
    during the last pass: nobody had stopped working. Where Lever comes as files, `came` says what each of them is
    taken for, and `refused` names its rows that could not be used.
    """

    counts: Frame
    calls: int
    files: Frame
    drift: Frame
    dangling: Frame
    unlisted: Frame
    gone: Frame
    unread: Frame
    absent: Frame
    doubtful: Frame
    ages: Frame
    unsettled: int
    score: Frame
    came: Frame
    refused: Frame


HISTORY = ("notes", "feedback", "interviews", "offers")
"""What a file import would leave behind; where what was read closely has none of it, there is no history to keep."""


def audit(book: Workbook) -> AuditResult:
    """Read what is on both sides, probe both keys, forecast the cost."""
    progress = book.progress("audit")
    with book.writing("audit"):
        if book.params.lever.source == "files":
            return _audit_files(book)
        permissions = _permissions(book)
        confidential = _confidential(book)
        book.store.put_meta("confidentiality", confidential["confidentiality"])
        book.store.put_meta("confidential.proven", confidential["verdict"] == "proven")
        walk, lists = _walk(book, "audit"), scoring.Run(book.lever)
        _pin(book)
        started = extraction.short_lists(walk)
        book.store.put_meta("audit.lists", lists.calls())  # the extraction reads the same ones again
        if book.store.meta("extract.since") is None:
            book.store.put_meta("extract.since", started)
            book.store.put_meta("audit.first_ms", now_ms())
        if (book.store.meta("extract.windows") or {}).get("done"):  # an audit that is made again: what is new since?
            extraction.changed(walk)
        extraction.opportunities(walk)
        extraction.dangling_postings(walk)
        read_target(book)
        made = _forecast(book, walk, permissions)
        progress(1, 1, "")
        return _keep_audit(book, confidential, permissions, made)


def _permissions(book: Workbook) -> list[dict[str, Any]]:
    """What both keys may do; UnauthorizedError that names all that lacks, where not even the audit can be made."""
    found = audits.lever_permissions(book.lever, next(heads_of(book.store, "opportunities"), ("", ""))[0])
    return _checked(book, found + audits.ashby_permissions(book.ashby))


def _checked(book: Workbook, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the keys may do, kept; UnauthorizedError as above."""
    book.store.put_results("audit", "permissions", found)
    if closed := audits.closed_lists(found, ENDPOINTS):
        lacking = [f"{row['side']}: {row['permission']}" for row in found if not row["ok"] and not audits.is_odd(row)]
        todo = dict.fromkeys(row["detail"].rstrip(".") for row in closed)
        raise UnauthorizedError(
            f"The keys lack {len(lacking)} rights ({'; '.join(lacking)}); without {closed[0]['permission']!r} in "
            f"{closed[0]['side']} there is no audit.",
            hint=f"{'; '.join(todo)}. Then run 01_audit again.",
        )
    return found


def _audit_files(book: Workbook) -> AuditResult:
    """The same for a customer whose Lever comes as files: all of it is read, and no bytes of files are copied yet."""
    permissions = _checked(book, audits.ashby_permissions(book.ashby))
    found = exported.import_files(book, "audit", accepted=accepted(book), bytes_too=False)
    read_target(book)
    confidential = exported.confidential(found, book.params.lever.confidential_access) | _signed(book)
    made = exported.without_reading(_forecast(book, _walk(book, "audit"), permissions))
    return _keep_audit(book, confidential, permissions, made, more=exported.findings(book, found))


def _forecast(book: Workbook, walk: extraction.Extract, permissions: list[dict[str, Any]]) -> forecasting.Forecast:
    """Count what else the forecast must know, as far as the keys may see it, and make it."""
    if audits.may(permissions, "Lever", "read opportunities/deleted"):
        items = confidential_too(partial(book.lever.items, "/opportunities/deleted"), walk.confidentiality)
        book.store.put_meta("audit.deleted", len(items))
    if not Ledger(book.store).plan_hash():  # later on, only 03_dedupe may read them: what we wrote would look strange
        if audits.may_call(permissions, "candidate.list"):
            read_candidates(book)
        if audits.may_call(permissions, "applicationFeedback.list"):
            n_feedback = sum(len(page.results) for page in book.ashby.pages("applicationFeedback.list"))
            book.store.put_meta("audit.feedback", n_feedback)
    probe = all(audits.may(permissions, "Lever", f"read {name}") for name in extraction.CHILDREN)
    return forecasting.make(book, walk, probe=probe)


def _confidential(book: Workbook) -> dict[str, Any]:
    """Whether the key sees confidential records, and who has signed for it where nothing proves it."""
    given = book.params.lever
    found = audits.confidential_access(book.lever, given.confidential_access, given.confidential_posting)
    return found | _signed(book)


def _signed(book: Workbook) -> dict[str, Any]:
    """Since when somebody's word on confidential records stands in overrides.csv; empty when it does not."""
    signed = [row for row in book.table("overrides").rows if row["id"] == "confidential"]
    if signed and signed[0].get("who") and signed[0].get("why"):
        return {"signed": signed[0].get("when") or "without a date"}
    return {}


def _behaviour(book: Workbook, *, lever: bool) -> list[dict[str, Any]]:
    """What both accounts answer to harmless questions that the references leave open."""
    asked = audits.lever_behaviour(book.lever, book.store.all("opportunities")) if lever else []
    return asked + audits.ashby_behaviour(book.ashby, Reading(book.store).standing("candidates"))


def _keep_audit(
    book: Workbook, confidential: dict[str, Any], permissions: list[dict[str, Any]], made: forecasting.Forecast,
    *, more: list[dict[str, Any]] | None = None,
) -> AuditResult:  # fmt: skip
    store = book.store
    inventory = audits.inventory(store)
    n_contacts = {row["object"]: row["n_objects"] for row in inventory if row["group"] == "all"}["contacts"]
    rows = {
        "inventory": inventory,
        "findings": audits.findings(
            store,
            permissions=permissions,
            confidential=confidential,
            dangling=store.results("extract", "dangling_postings"),
        )
        + version_finding(book)
        + made.findings()
        + (more or []),
        "losses": audits.losses(store),
        "forecast": made.steps,
        "endpoints": made.endpoints,
        "permissions": permissions,
        "behaviour": _behaviour(book, lever=more is None),
    }
    for name, table in rows.items():
        store.put_results("audit", name, table)
    rows["checklist"] = planning.checklist(book)
    store.put_results("audit", "checklist", rows["checklist"])
    n_lacking = sum(not row["ok"] for row in permissions)
    has_keys = book.params.lever.source != "files"
    history = (has_keys and not made.n_probed) or any(map(store.count, HISTORY))
    route = audits.route(n_contacts, history=history, has_keys=has_keys, n_lacking=n_lacking)
    frames = {name: pd.DataFrame(table) for name, table in rows.items()}
    return AuditResult(**frames, route=route, n_probed=made.n_probed, came=exported.came(book))


def audit_gate(book: Workbook) -> None:
    """GateError when a critical finding of the audit is neither mended nor accepted."""
    found = book.store.results("audit", "findings")
    if not found:
        raise GateError("There is no audit yet.", hint="Run 01_audit first.")
    audits.gate(found, accepted=accepted(book))


def accepted(book: Workbook) -> set[str]:
    rows = book.table("overrides").rows
    return {row["id"] for row in rows if row.get("who") and row.get("why") and row.get("verdict", "yes")}


def extract(book: Workbook, *, reread: bool | str = False) -> ExtractResult:
    """Bring the store up to date with Lever: everything, with the bytes of all files.

    `reread` lists all opportunities once more, asks by id for those that the list lacks, and reads the child lists
    again of those that are active or were archived or changed in the last 90 days, `reread="all"` of every one: edited
    feedback, new files, forms and offers do not reliably move an opportunity's updatedAt (observed), which is what
    later readings go by. One that was cut off goes on with the next call of the same kind, unless it began longer ago
    than `lever.reread_hours`: what it has read would stop a load.
    """
    audit_gate(book)
    with book.writing("extract"):
        if book.params.lever.source == "files":
            counts = exported.extract_files(book, accepted=accepted(book))
        else:
            counts = _extract_api(book, reread=reread)
    calls = counts.pop("calls")
    store = book.store
    return ExtractResult(
        counts=pd.DataFrame(sorted(counts.items()), columns=["stream", "n_objects"]),
        calls=calls,
        files=_files(book),
        drift=pd.DataFrame(store.results("extract", "drift"), columns=DRIFT),
        dangling=pd.DataFrame(store.results("extract", "dangling_postings"), columns=["lever_id", "n_records", "why"]),
        unlisted=pd.DataFrame(store.results("extract", "unlisted"), columns=["stream", "lever_id", "opportunity"]),
        gone=pd.DataFrame(store.results("extract", "gone"), columns=["lever_id"]),
        unread=pd.DataFrame(unread_rows(store), columns=UNREAD),
        absent=pd.DataFrame(store.results("extract", "absent"), columns=ABSENT),
        doubtful=pd.DataFrame(store.results("extract", "doubtful"), columns=DOUBTFUL),
        ages=pd.DataFrame(store.results("extract", "ages"), columns=["lists", "n_opportunities", "oldest", "may_lack"]),
        unsettled=int(store.meta("extract.unsettled") or 0),
        score=pd.DataFrame(store.results("extract", "score"), columns=scoring.COLUMNS),
        came=exported.came(book),
        refused=exported.refused(book),
    )


def _files(book: Workbook) -> pd.DataFrame:
    """How many files there are of each state and reason, and their bytes."""
    n_files, n_bytes = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in book.store.files():
        n_files[row.state, row.reason] += 1
        n_bytes[row.state, row.reason] += row.size or 0
    rows = [(*key, n, n_bytes[key]) for key, n in sorted(n_files.items())]
    return pd.DataFrame(rows, columns=["state", "reason", "n_files", "bytes"]).astype({"n_files": int, "bytes": int})


def _extract_api(book: Workbook, *, reread: bool | str) -> dict[str, int]:
    """Read Lever through its API, and score the forecast of that; {stream: objects now}, and the number of calls."""
    before, foreseen = scoring.room(book), scoring.extract_begins(book)
    run = scoring.Run(book.lever)
    _pin(book)
    counts = extraction.run(_walk(book, "extract", reread=reread))
    scoring.extract_ended(book, run, foreseen, before=before, reread=bool(reread))
    return counts


def _pin(book: Workbook) -> None:
    """Refuse another Lever account than before, by what answers now and before anything of it is stored."""
    users = book.lever.items("/users", [("includeDeactivated", "true")])
    extraction.check_shape("users", users)
    book.pin("Lever", [one["id"] for one in users])


def _walk(book: Workbook, step: str, *, reread: bool | str = False) -> extraction.Extract:
    return extraction.Extract(
        book.store,
        book.lever,
        confidentiality=book.store.meta("confidentiality", "all"),
        proven=book.store.meta("confidential.proven", False),
        workers=book.params.lever.workers,
        reread=reread,
        reread_ms=int(book.params.lever.reread_hours * 3_600_000),
        may_shrink="shrunk:opportunities" in accepted(book),
        file_ms=int(book.params.lever.file_hours * 3_600_000),
        progress=book.progress(step),
    )
