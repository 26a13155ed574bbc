"""Cursors and sync tokens: opaque, signed, bound to the request they belong to, with a lifetime."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.ashby.checks import MAX_PAGE, RefusedError
from sandbox.ashby.records import Json
from sandbox.ashby.state import State

_SIGNATURE = 9


@dataclass
class Page:
    """One page of a list; ``token`` only on the last page of lists that can be synchronized."""

    results: list[Any]
    cursor: str | None
    token: str | None = None

    def envelope(self) -> Json:
        """Return the members of the answer besides ``success``."""
        answer: Json = {"results": self.results, "moreDataAvailable": self.cursor is not None}
        if self.cursor is not None:
            answer["nextCursor"] = self.cursor
        if self.token is not None:
            answer["syncToken"] = self.token
        return answer


def _seal(state: State, payload: list[Any]) -> str:
    raw = json.dumps(payload, separators=(",", ":")).encode()
    signature = hmac.digest(state.secret, raw, "sha256")[:_SIGNATURE]
    return base64.urlsafe_b64encode(signature + raw).rstrip(b"=").decode()


def _open(state: State, text: str, code: str) -> list[Any]:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, raw = data[:_SIGNATURE], data[_SIGNATURE:]
        if not hmac.compare_digest(signature, hmac.digest(state.secret, raw, "sha256")[:_SIGNATURE]):
            raise RefusedError(code)
        payload: list[Any] = json.loads(raw)
    except ValueError:
        raise RefusedError(code) from None
    return payload


def _binding(endpoint: str, body: Json) -> str:
    """Return a digest of everything a cursor is bound to: endpoint and arguments, not the page size (guess)."""
    others = {name: value for name, value in body.items() if name not in ("cursor", "limit")}
    return hashlib.sha256(f"{endpoint}{json.dumps(others, sort_keys=True)}".encode()).hexdigest()[:12]


def _position(state: State, endpoint: str, body: Json) -> tuple[int, int, int]:
    """Return (where to go on, change number at the start of the pass, page number) of this request."""
    if "cursor" not in body:
        return 0, state.seq, 0
    kind, binding, place, started, page, born = _open(state, body["cursor"], "invalid_next_cursor")
    if kind != "cursor" or binding != _binding(endpoint, body):
        raise RefusedError("invalid_next_cursor")
    if time.time() - born > state.number("cursor_seconds"):
        raise RefusedError("next_cursor_expired")
    return place, started, page


def _since(state: State, endpoint: str, body: Json) -> int | None:
    """Return the change number a sync token stands for; None in a full pass."""
    if "syncToken" not in body:
        return None
    kind, owner, since, born = _open(state, body["syncToken"], "sync_token_invalid")
    if kind != "sync" or owner != endpoint:
        raise RefusedError("sync_token_invalid")
    if time.time() - born > state.number("sync_token_seconds"):
        raise RefusedError("sync_token_expired")
    return int(since)


def paginate(
    state: State,
    endpoint: str,
    *,
    body: Json,
    items: Collection[Any],
    render: Callable[[Any], Any],
    keep: Callable[[Any], bool] | None = None,
    key: Callable[[Any], str] = lambda item: item.id,
    sync: bool = True,
) -> Page:
    """Return one page of ``items``, which must keep their order and only grow.

    Full pass: in order of addition; the cursor is a position. Incremental pass (``syncToken``): in order of
    change, only what changed after the token; the cursor is a change number.
    """
    limit = body.get("limit", MAX_PAGE)
    place, started, page = _position(state, endpoint, body)
    since = _since(state, endpoint, body)
    if since is None:
        picked, place, more = _slice(items, place, limit, keep)
    else:
        most = state.number("incremental_max_pages")
        if most and page >= most:
            raise RefusedError("incremental_sync_too_large")
        changed = _changed(state, items, max(since, place), keep, key)
        picked, more = changed[:limit], len(changed) > limit
        place = state.changed[key(picked[-1])] if picked else place
    cursor = token = None
    if more:
        cursor = _seal(state, ["cursor", _binding(endpoint, body), place, started, page + 1, int(time.time())])
    elif sync:
        token = _seal(state, ["sync", endpoint, started, int(time.time())])
    return Page([render(item) for item in picked], cursor, token)


def _slice(
    items: Collection[Any], place: int, limit: int, keep: Callable[[Any], bool] | None
) -> tuple[list[Any], int, bool]:
    """Return up to ``limit`` kept items from a position on, the next position, and whether more are kept."""
    picked: list[Any] = []
    for offset, item in enumerate(islice(items, place, None), place):
        if keep is not None and not keep(item):
            continue
        if len(picked) == limit:
            return picked, offset, True
        picked.append(item)
    return picked, len(items), False


def _changed(
    state: State,
    items: Collection[Any],
    after: int,
    keep: Callable[[Any], bool] | None,
    key: Callable[[Any], str],
) -> list[Any]:
    """Return the kept items that changed after a change number, oldest change first."""
    changed = state.changed
    picked = [item for item in items if changed.get(key(item), 0) > after and (keep is None or keep(item))]
    return sorted(picked, key=lambda item: changed[key(item)])
