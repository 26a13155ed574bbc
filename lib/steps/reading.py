"""Steps 1 and 2: what is there, and everything of Lever into the store."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib import audit as audits
from lib import extract as extraction
from lib.errors import GateError
from lib.steps.target import read_target, version_finding
from lib.store import FileRow
from lib.workbook import Workbook

PROBED = 24  # opportunities whose child lists the audit reads to learn how much hangs on one
Frame = pd.DataFrame


@dataclass(frozen=True)
class AuditResult:
    """Tables of the audit, and the recommended route {route, why}."""

    inventory: Frame
    findings: Frame
    losses: Frame
    forecast: Frame
    permissions: Frame
    route: dict[str, Any]


@dataclass(frozen=True)
class ExtractResult:
    """What is here now: objects per stream, files by state, drift from the contract, postings that are nowhere.

    `unlisted` are objects that a list did not show any more and that Lever still gives by their id: they were kept.
    `gone` are opportunities that Lever does not give any more and does not name as deleted.
    """

    counts: Frame
    calls: int
    files: Frame
    drift: Frame
    dangling: Frame
    unlisted: Frame
    gone: Frame


def audit(book: Workbook) -> AuditResult:
    """Read what is on both sides, probe both keys, forecast the cost."""
    progress = book.progress("audit")
    with book.writing("audit"):
        _pin(book)
        confidential = audits.confidential_access(book.lever, book.params.lever.confidential_access)
        book.store.put_meta("confidentiality", confidential["confidentiality"])
        walk = _walk(book, "audit")
        started = extraction.short_lists(walk)
        if book.store.meta("extract.since") is None:
            book.store.put_meta("extract.since", started)
        extraction.opportunities(walk)
        extraction.dangling_postings(walk)
        read_target(book)
        probed = _probe_children(book, walk)
        progress(1, 1, "")
        return _keep_audit(book, confidential, probed)


def _keep_audit(book: Workbook, confidential: dict[str, Any], probed: list[str]) -> AuditResult:
    store = book.store
    permissions = audits.lever_permissions(book.lever, probed[0] if probed else "")
    permissions += audits.ashby_permissions(book.ashby)
    inventory = audits.inventory(store)
    counts = {(row["object"], row["group"]): row["n_objects"] for row in inventory}
    sizes = {
        "opportunities": counts.get(("opportunities", "all"), 0),
        "contacts": counts[("contacts", "all")],
        "postings": store.count("postings"),
    }
    rates = {
        "lever_per_second": book.params.lever.per_second,
        "ashby_per_second": book.params.ashby.per_minute / 60,
    }
    rows = {
        "inventory": inventory,
        "findings": audits.findings(
            store,
            permissions=permissions,
            confidential=confidential,
            dangling=store.results("extract", "dangling_postings"),
        )
        + version_finding(book),
        "losses": audits.losses(store),
        "forecast": audits.forecast(sizes, audits.per_opportunity(store, probed), n_probed=len(probed), **rates),
        "permissions": permissions,
    }
    for name, table in rows.items():
        store.put_results("audit", name, table)
    n_lacking = sum(not row["ok"] for row in permissions)
    route = audits.route(sizes["contacts"], history=True, has_keys=True, n_lacking=n_lacking)
    return AuditResult(**{name: pd.DataFrame(table) for name, table in rows.items()}, route=route)


def audit_gate(book: Workbook) -> None:
    """GateError when a critical finding of the audit is neither mended nor accepted."""
    found = book.store.results("audit", "findings")
    if not found:
        raise GateError("There is no audit yet.", hint="Run 01_audit first.")
    audits.gate(found, accepted=accepted(book))


def files_gate(book: Workbook) -> None:
    """GateError that names the files whose bytes could not be fetched, unless somebody has accepted their loss.

    A file that Lever itself cannot deliver (422) is a loss that is listed; these are the ones that may come tomorrow.
    """
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
            "deleted, accept it in overrides.csv (id gone:<id>, or shrunk:opportunities for all; who, when, why).",
        )


def _still_in_lever(book: Workbook, row: FileRow) -> bool:
    return book.store.get(row.stream, row.lever_id.partition(":")[0]) is not None


def accepted(book: Workbook) -> set[str]:
    rows = book.table("overrides").rows
    return {row["id"] for row in rows if row.get("who") and row.get("why") and row.get("verdict", "yes")}


def _probe_children(book: Workbook, walk: extraction.Extract) -> list[str]:
    """Read the child lists of a few opportunities, always the same ones; kept, so nothing is asked twice."""
    ids = sorted(book.store.head_shas("opportunities"))
    chosen = sorted(random.Random(0).sample(ids, min(PROBED, len(ids))))
    extraction.children(walk, only=chosen)
    return chosen


def extract(book: Workbook, *, reread: bool | str = False) -> ExtractResult:
    """Bring the store up to date with Lever: everything, with the bytes of all files.

    `reread` lists all opportunities once more, asks by id for those that the list lacks, and reads the child lists
    again of those that are active or were archived in the last 90 days, `reread="all"` those of every one: edited
    feedback, new files, forms and offers do not reliably move an opportunity's updatedAt (observed), which is what
    later readings go by.
    """
    audit_gate(book)
    with book.writing("extract"):
        _pin(book)
        counts = extraction.run(_walk(book, "extract", reread=reread))
    calls = counts.pop("calls")
    store = book.store
    files = pd.DataFrame(
        [(row.state, row.reason, row.size or 0) for row in store.files()], columns=["state", "reason", "bytes"]
    )
    grouped = files.groupby(["state", "reason"])["bytes"].agg(n_files="count", bytes="sum").reset_index()
    return ExtractResult(
        counts=pd.DataFrame(sorted(counts.items()), columns=["stream", "n_objects"]),
        calls=calls,
        files=grouped,
        drift=pd.DataFrame(store.results("extract", "drift"), columns=["stream", "attribute", "n_records"]),
        dangling=pd.DataFrame(store.results("extract", "dangling_postings"), columns=["lever_id", "n_records", "why"]),
        unlisted=pd.DataFrame(store.results("extract", "unlisted"), columns=["stream", "lever_id", "opportunity"]),
        gone=pd.DataFrame(store.results("extract", "gone"), columns=["lever_id"]),
    )


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
        workers=book.params.lever.workers,
        reread=reread,
        may_shrink="shrunk:opportunities" in accepted(book),
        progress=book.progress(step),
    )
