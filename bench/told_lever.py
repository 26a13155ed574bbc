"""A Lever whose answers are told from a small company, over and over: in process, without a network, nothing gathered.

What it takes to tell them is counted apart (`told_s`), so that a step's own processor time can be had.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from bench.again import STEP_MS, Life, Template, block_of, moved_id
from lib.lever import Key, Lever
from lib.transport import Pacer, Patience, Reply

URL = "https://lever.invalid"
Answered = tuple[int, str | bytes]
NOT_THERE: Answered = (404, '{"code": "ResourceNotFound", "message": "not there"}')


class ToldTransport:
    """What `Lever` speaks through: from a request to an answer."""

    def __init__(self, template: Template, n_blocks: int, *, before: Callable[[list[str]], None]) -> None:
        """`before` is called with the words of each path, and may raise."""
        self.n_calls, self.told_s = 0, 0.0
        self.pacer = Pacer(1e9, burst=1_000_000)
        self._template, self._n_blocks, self._before = template, n_blocks, before
        self._lives = {life.lever_id[8:]: life for life in template.lives}
        self._lock = threading.Lock()
        self._headers = {"Date": formatdate(template.now_ms / 1000, usegmt=True), "Content-Type": "application/json"}

    def close(self) -> None:
        """Nothing was opened."""

    def send(
        self, _method: str, url: str, *, params: list[tuple[str, str]] | None = None, sink: IO[bytes] | None = None,
        **_more: Any,
    ) -> Reply:  # fmt: skip
        """The answer to one GET."""
        parts = urlsplit(url)
        words = parts.path.strip("/").split("/")
        self._before(words)
        began = time.thread_time()
        status, body = self._answer(words, dict([*parse_qsl(parts.query), *(params or [])]))
        content = body if isinstance(body, bytes) else body.encode()
        if sink is not None and status == 200:
            sink.write(content)
        with self._lock:
            self.n_calls += 1
            self.told_s += time.thread_time() - began
        headers = self._headers if sink is None else self._headers | {"Content-Type": "application/octet-stream"}
        return Reply(status, headers, content)

    def _answer(self, words: list[str], query: dict[str, str]) -> Answered:
        if words[0] == "opportunities" and len(words) == 1:
            return 200, self._page(query)
        if words[0] == "opportunities" and words[1] != "deleted":
            return self._of_one(words, query)
        items = self._template.shared.get("_".join(words), [])
        if words == ["disposition_stages"]:
            return (200, json.dumps({"data": items[0]})) if items else NOT_THERE
        if len(words) == 2 and words[1] != "deleted":
            found = next((one for one in self._template.shared.get(words[0], []) if one["id"] == words[1]), None)
            return (200, json.dumps({"data": found})) if found else NOT_THERE
        asked = query.get("confidentiality", "non-confidential")
        shown = [one for one in items if asked in ("all", one.get("confidentiality", "non-confidential"))]
        first, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        more = len(shown) > first + limit
        page = [json.dumps(one) for one in shown[first : first + limit]]
        return 200, _listed(page, str(first + limit) if more else "")

    def _page(self, query: dict[str, str]) -> str:
        """A page of opportunities, in the order of lives and blocks, which is as good as any other."""
        limit, page, token = int(query.get("limit", 100)), list[str](), ""
        for number, life, block in self._within(query):
            if len(page) == limit:
                token = f"{number}:{block}"
                break
            page.append(life.item.told(block))
        return _listed(page, token)

    def _within(self, query: dict[str, str]) -> Iterator[tuple[int, Life, int]]:
        """(its place, life, block) of what a query finds, from its page token on."""
        first, _, begin = query.get("offset", "0:0").partition(":")
        asked = query.get("confidentiality", "non-confidential")
        for number, life in enumerate(self._template.lives[int(first) :], int(first)):
            if asked not in ("all", "confidential" if life.confidential else "non-confidential"):
                continue
            blocks = range(int(begin) if number == int(first) else 0, self._n_blocks)
            for name, at in (("created_at", life.created_ms), ("updated_at", life.updated_ms)):
                blocks = _in_window(blocks, at, query.get(f"{name}_start"), query.get(f"{name}_end"))
            for block in blocks:
                yield number, life, block

    def _of_one(self, words: list[str], query: dict[str, str]) -> Answered:
        """An opportunity, one of its child lists, or the bytes of a file."""
        life = self._lives.get(words[1][8:])
        block = block_of(words[1], life.lever_id) if life else -1
        if life is None or not 0 <= block < self._n_blocks:
            return NOT_THERE
        if len(words) == 2:
            return 200, f'{{"data": {life.item.told(block)}}}'
        if len(words) == 3 and words[2] in life.children:
            return 200, f'{{"data": {life.children[words[2]].told(block)}, "hasNext": false}}'
        if words[-1] != "download":
            return NOT_THERE
        status = query.get("status")
        row = self._template.files[moved_id(words[3], block) + (f":{status}" if status else "")]
        if row.sha256 is None:
            return 422, '{"code": "UnprocessableEntity", "message": "cannot be processed"}'
        return 200, (self._template.folder / row.sha256).read_bytes()


def _in_window(blocks: range, at: int | None, start: str | None, end: str | None) -> range:
    """Those of the blocks in which a moment of the template lies between two others; each block is further back."""
    if start is None and end is None:
        return blocks
    if at is None:
        return range(0)
    first = blocks.start if end is None else max(blocks.start, -((int(end) - at) // STEP_MS))
    last = blocks.stop if start is None else min(blocks.stop, (at - int(start)) // STEP_MS + 1)
    return range(first, max(first, last))


def _listed(page: list[str], token: str) -> str:
    more = f', "hasNext": true, "next": "{token}"' if token else ', "hasNext": false'
    return f'{{"data": [{", ".join(page)}]{more}}}'


def told_lever(
    template: Template, n_blocks: int, *, before: Callable[[list[str]], None] = lambda _words: None
) -> Lever:
    """A client of a Lever that tells so many blocks of a company."""
    transport = ToldTransport(template, n_blocks, before=before)
    key: Any = transport  # it has what the client asks of a transport here
    return Lever(URL, Key("told"), transport=key, patience=Patience(attempts=1, first=0.0, longest=0.0))
