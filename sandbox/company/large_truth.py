"""The truth about a large company: never whole, but block by block, and as counts."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.company.large import LargeCompany, stamped
from sandbox.company.model import Record
from sandbox.company.truth import truth

ACCOUNT_COUNTS = ("postings",)
"""Counts of what all blocks share."""


def asked(large: LargeCompany, *, block: str | None, counts: bool, uploads: bool = False) -> Record:
    """What a reader asked for; ValueError, with what to ask instead, when it is the whole or no block."""
    if counts:
        return totals(large, uploads=uploads)
    if block is None or not block.isdecimal() or int(block) >= large.blocks:
        raise ValueError(f"ask for ?counts=1 or for one block, ?block=0 to ?block={large.blocks - 1}")
    return of_block(large, int(block), uploads=uploads)


def totals(large: LargeCompany, *, uploads: bool = False) -> Record:
    """The counts of the whole company, and how it is cut into blocks."""
    counts = truth(large.template, uploads=uploads)["counts"]
    return {
        "blocks": large.blocks,
        "opportunities_per_block": large.n_template,
        "counts": {
            name: value if name in ACCOUNT_COUNTS else _times(value, large.blocks) for name, value in counts.items()
        },
    }


def of_block(large: LargeCompany, block: int, *, uploads: bool = False) -> Record:
    """The truth about one block, in the shape of that about an ordinary company."""
    whole = truth(large.template, uploads=uploads)
    contact_of = {row["id"]: row["contact"] for row in whole["opportunities"]}
    answer = {
        name: [_row(large, row, contact_of, block) for row in rows] if isinstance(rows, list) else rows
        for name, rows in whole.items()
        if name != "deleted_opportunities"
    }
    deleted = large.account.deleted_opportunities
    answer["deleted_opportunities"] = [item["id"] for item in deleted if large.block_of(item["id"]) == block]
    return answer


def _row(large: LargeCompany, row: Any, contact_of: dict[str, str], block: int) -> Any:
    """One row of the truth as it stands in a block."""
    moved = large.rewritten(row, _contact(large, row, contact_of), block)
    if block == 0 or not isinstance(moved, dict):
        return moved
    for name in ("key", "person"):
        if name in moved:
            moved[name] = f"{moved[name]}-{block}"
    if "ashby" in moved:
        moved["ashby"] = ""
    if moved.get("sha256"):
        moved["sha256"] = hashlib.sha256(stamped(large.template.file_bytes(_key(row)), block)).hexdigest()
    return moved


def _contact(large: LargeCompany, row: Any, contact_of: dict[str, str]) -> str | None:
    """The contact of the template a row is about; None when it names nobody."""
    if not isinstance(row, dict):
        return None
    if "contacts" in row:
        return next(iter(row["contacts"]), None)
    found = row.get("contact") or contact_of.get(row.get("opportunity", ""))
    return found or (row["id"] if row.get("id") in large.template.contacts else None)


def _key(row: Record) -> str:
    """The name of a file's bytes."""
    return f"{row['id']}:signed" if row["kind"] == "offer" else str(row["id"])


def _times(value: Any, blocks: int) -> Any:
    """A count, or counts by name, of so many equal blocks."""
    return {name: _times(one, blocks) for name, one in value.items()} if isinstance(value, dict) else value * blocks
