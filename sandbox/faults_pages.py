"""Lists that page badly: a page twice, an empty one in the middle, a token that leads nowhere or back."""

from __future__ import annotations

import json

from sandbox.faults_rows import TOKENS
from sandbox.faults_wire import Asked

MORE = {"lever": ("hasNext", "next", "data"), "ashby": ("moreDataAvailable", "nextCursor", "results")}


class Pages:
    """Remembers the tokens it made up: each stands for a page that is still to come, or comes again."""

    def __init__(self) -> None:
        """No token is made up yet."""
        self._made: dict[str, str | None] = {}

    def undo(self, asked: Asked) -> None:
        """Put the real token in place of a made-up one, before anybody else looks at the request."""
        if not self._made:
            return
        token = asked.token
        if token in self._made:
            asked.put(TOKENS[asked.api], self._made[token])

    def spoil(self, effect: str, asked: Asked, body: bytes) -> bytes:
        """The answer to a list with its paging gone wrong; what is no list stays as it is."""
        try:
            answer = json.loads(body)
        except ValueError:
            return body
        more, following, items = MORE[asked.api]
        if not isinstance(answer, dict) or not isinstance(answer.get(items), list) or more not in answer:
            return body
        if effect == "no_token":
            answer |= {more: True}
            answer.pop(following, None)
        elif effect == "same_token":
            answer |= {more: True, following: asked.token}
        else:
            answer |= {more: True, following: self._new(asked.token)}
            answer.pop("syncToken", None)
            if effect == "empty_page":
                answer[items] = []
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def _new(self, token: str | None) -> str:
        """A made-up token for the page that ``token`` leads to."""
        made = f"again-{len(self._made) + 1}"
        self._made[made] = token
        return made
