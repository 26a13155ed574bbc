"""Tells what the load left alone on purpose: values that people had set in Ashby before us, or changed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib.store import Store
from lib.store.ledger import Ledger

LEFT_ALONE = "somebody's own value stands in Ashby and was left as it is"


@dataclass
class Edits:
    """Answers, from the ledger's own record of calls, whether a member of a row was really written."""

    store: Store
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        """Open the ledger."""
        self.ledger = Ledger(self.store)

    @cached_property
    def _conflicts(self) -> set[tuple[str, str]]:
        rows = self.store.results("load", "conflicts")
        return {(row["row_id"], str(name)) for row in rows for name in row.get("members") or []}

    def left_alone(self, row_id: str, member: str) -> bool:
        """True when the load did not write this member, because another value stood there."""
        if (row_id, member) in self._conflicts:
            return True
        requests = [one for one in self.ledger.requests(row_id) if isinstance(one, dict)]
        return bool(requests) and not any(member in _members(request) for request in requests)

    def once_set(self, row_id: str) -> dict[str, Any]:
        """{field id: value} of all that the calls of a row have set, each the last time."""
        found: dict[str, Any] = {}
        for request in self.ledger.requests(row_id):
            found |= {str(one["fieldId"]): one["fieldValue"] for one in (request or {}).get("values") or []}
        return found


def _members(request: dict[str, Any]) -> set[str]:
    """Names under which a request set something: members of the body, or ids of custom fields."""
    names = {str(one.get("fieldId")) for one in request.get("values") or [] if isinstance(one, dict)}
    links = {"linkedInUrl", "githubUrl", "website", "websiteUrl", "socialLinks"} & set(request)
    alternates = {"alternateEmail", "alternateEmailAddresses"} & set(request)
    return names | set(request) | ({"links"} if links else set()) | ({"alternates"} if alternates else set())
