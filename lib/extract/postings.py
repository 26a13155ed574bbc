"""Postings that applications name and no list shows: each is asked for by its id."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from lib.errors import ApiError, UnauthorizedError
from lib.extract import aside, unlisted
from lib.extract.walk import Extract

REFUSED = tuple(map(str, unlisted.REFUSED))


def dangling_postings(walk: Extract) -> set[str]:
    """Postings that applications name and no list shows: asked for by their ids in each reading, and kept.

    Those that are not there, and never were, are findings; one that Lever cannot give is set aside besides. Returns
    those that we hold, and that are refused by now to a key that sees nothing confidential.
    """
    held, deleted_ones = set(walk.store.head_shas("postings")), set(walk.store.head_shas("postings_deleted"))
    lists = walk.store.results("extract", "unlisted_lists")
    hidden = {row["lever_id"] for row in lists if row["stream"] == "postings"}
    named: Counter[str] = Counter()
    for item in walk.store.all("opportunities"):
        named.update(named_postings(item))
    asked = sorted(set(named) - (held - hidden) - deleted_ones)
    lacking, refused, unread = [], set[str](), dict[str, ApiError]()
    for posting_id in asked:
        item, why = _named_posting(walk, posting_id, unread)
        aside.check_few(len(unread), len(asked), unread, what=f"{len(unread):,} postings by their ids")
        if item is not None:
            with walk.store.begin() as tx:
                walk.store.put_raw(tx, "postings", [(posting_id, "", item)])
        elif posting_id not in held:
            lacking.append({"lever_id": posting_id, "n_records": named[posting_id], "why": why})
        elif why in REFUSED and not walk.confidentiality:
            refused.add(posting_id)
    with walk.store.begin() as tx:
        aside.keep_ids(walk.store, tx, aside.POSTINGS, "postings", unread)
    walk.store.put_results("extract", "dangling_postings", lacking)
    walk.store.put_meta("extract.postings_asked", len(asked))
    return refused


def named_postings(opportunity: dict[str, Any]) -> set[str]:
    """The postings that the applications of an opportunity name; Lever keeps at most one."""
    return {str(one["posting"]) for one in opportunity.get("applications") or [] if one.get("posting")}


def _named_posting(walk: Extract, posting_id: str, unread: dict[str, ApiError]) -> tuple[dict[str, Any] | None, str]:
    """A posting by its id, or None and the status that was answered; one that cannot be given comes into `unread`."""
    try:
        found, failed = aside.each(
            [posting_id], partial(unlisted.there, walk.lever, "/postings", "postings"), lever=walk.lever
        )
    except UnauthorizedError as error:
        if error.status != 403:
            if walk.confidentiality:
                raise
            walk.lever.hello()  # raises where the key is refused altogether
        return None, str(error.status)
    if failed and not walk.confidentiality and failed[posting_id].status == 400:
        return None, "400"
    unread |= failed
    return found.get(posting_id), str(failed[posting_id].status) if failed else "404"
