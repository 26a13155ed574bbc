"""Cursors and sync tokens: opaque, signed, bound to the request they belong to, with a lifetime."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.ashby.checks import MAX_PAGE, RefusedError
from sandbox.ashby.records import Json
from sandbox.ashby.state import State

_SIGNATURE = 9


@dataclass
class Page:
    """One page of a list; ``token`` only on the last page of lists that can be synchronized.

    ``texts`` are results that are JSON already; then ``results`` is empty.
    """

    results: list[Any]
    cursor: str | None
    token: str | None = None
    texts: list[str] = field(default_factory=list)

    def envelope(self) -> Json:
        """Return the members of the answer besides ``success``."""
        answer: Json = {"results": self.results, "moreDataAvailable": self.cursor is not None}
        if self.cursor is not None:
            answer["nextCursor"] = self.cursor
        if self.token is not None:
            answer["syncToken"] = self.token
        return answer

    def filled(self, envelope: str) -> str:
        """Return the JSON of an answer with the texts in the place of its empty results."""
        return envelope.replace('"results":[]', f'"results":[{",".join(self.texts)}]', 1) if self.texts else envelope


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
        return 0, state.settled(), 0
    kind, binding, place, started, page, born, removed = _open(state, body["cursor"], "invalid_next_cursor")
    if kind != "cursor" or binding != _binding(endpoint, body):
        raise RefusedError("invalid_next_cursor")
    if time.time() - born > state.number("cursor_seconds"):
        state.decides("cursor_seconds")
        raise RefusedError("next_cursor_expired")
    if "syncToken" not in body:
        place -= _removed_before(state, endpoint, body, place=place, after=removed)
    return place, started, page


def _removed_before(state: State, endpoint: str, body: Json, *, place: int, after: int) -> int:
    """Return by how many a position shrinks because items before it were deleted since the cursor was made."""
    count = 0
    for name, owner, position in state.removals[after:]:
        if name == endpoint and owner in (None, body.get("candidateId")) and position < place - count:
            count += 1
    return count


def _since(state: State, endpoint: str, body: Json) -> int | None:
    """Return the change number a sync token stands for; None in a full pass."""
    if "syncToken" not in body:
        return None
    kind, owner, since, born = _open(state, body["syncToken"], "sync_token_invalid")
    if kind != "sync" or owner != endpoint:
        raise RefusedError("sync_token_invalid")
    if time.time() - born > state.number("sync_token_seconds"):
        state.decides("sync_token_seconds")
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
    by_id: Mapping[str, Any] | None = None,
    kept: Hashable = None,
) -> Page:
    """Return one page of ``items``, which must keep their order; what is deleted is told in ``state.removals``.

    Full pass: in order of addition; the cursor is a position. Incremental pass (``syncToken``): in order of
    change, only what changed after the token; the cursor is a change number. With ``by_id`` (the same items by
    id) it looks at the changes only and not at all items; with ``kept`` (all that ``render`` depends on besides the
    state) an item is rendered again only after a write.
    """
    limit = body.get("limit", MAX_PAGE)
    if state.horizon:
        keep = _settled_only(state, keep, key)
    place, started, page = _position(state, endpoint, body)
    since = _since(state, endpoint, body)
    if since is None:
        rows = list(items) if by_id is None else state.kept(("items", endpoint), lambda: list(items))
        picked, place, more = _slice(rows, place, limit, keep)
    else:
        most = state.number("incremental_max_pages")
        if most and page >= most:
            state.decides("incremental_max_pages")
            raise RefusedError("incremental_sync_too_large")
        changed = (
            _changed(state, items, max(since, place), keep, key)
            if by_id is None
            else _logged(state, by_id, max(since, place), keep, limit + 1)
        )
        picked, more = changed[:limit], len(changed) > limit
        place = state.changed[key(picked[-1])] if picked else place
    cursor = token = None
    if more:
        payload = ["cursor", _binding(endpoint, body), place, started, page + 1, int(time.time()), len(state.removals)]
        cursor = _seal(state, payload)
    elif sync:
        token = _seal(state, ["sync", endpoint, started, int(time.time())])
    if kept is None or state.horizon or state.moment:
        return Page([render(item) for item in picked], cursor, token)
    texts = [state.kept((endpoint, kept, key(item)), lambda item=item: dumped(render(item))) for item in picked]
    return Page([], cursor, token, texts)


def dumped(value: Any) -> str:
    """Return a JSON value as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _settled_only(state: State, keep: Callable[[Any], bool] | None, key: Callable[[Any], str]) -> Callable[[Any], bool]:
    """Leave out what is too young to be seen (switch ``visible_after_ms``)."""
    return lambda item: not state.hides(key(item)) and (keep is None or keep(item))


def _slice(items: list[Any], place: int, limit: int, keep: Callable[[Any], bool] | None) -> tuple[list[Any], int, bool]:
    """Return up to ``limit`` kept items from a position on, the next position, and whether more are kept."""
    picked: list[Any] = []
    for offset in range(place, len(items)):
        item = items[offset]
        if keep is not None and not keep(item):
            continue
        if len(picked) == limit:
            return picked, offset, True
        picked.append(item)
    return picked, len(items), False


def _logged(
    state: State, by_id: Mapping[str, Any], after: int, keep: Callable[[Any], bool] | None, most: int
) -> list[Any]:
    """Return up to ``most`` kept items that changed after a change number, read off the log of changes."""
    found = []
    for place in range(after, len(state.log)):
        object_id = state.log[place]
        if state.changed.get(object_id) != place + 1 or object_id not in by_id:
            continue
        if keep is None or keep(by_id[object_id]):
            found.append(by_id[object_id])
            if len(found) == most:
                break
    return found


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
