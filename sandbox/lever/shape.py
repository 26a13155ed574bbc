"""``expand`` and ``include``: how an object looks in an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.journal import Journal
from sandbox.lever.answers import bad_request
from sandbox.lever.odd import odd
from sandbox.lever.params import Params
from sandbox.lever.state import State

Record = dict[str, Any]

EXPAND: dict[str, tuple[str, ...]] = {
    "opportunities": ("applications", "stage", "owner", "followers", "sourcedBy", "contact"),
    "postings": ("user", "owner", "hiringManager", "followers"),
    "applications": ("posting", "postingOwner", "postingHiringManager", "user"),
    "requisitions": ("creator", "hiringManager", "owner", "postings"),
    "notes": ("user",),
    "feedback": ("user",),
    "forms": ("user", "stage"),
    "interviews": ("feedbackForms", "user", "stage", "postings"),
    "panels": ("user", "stage"),
    "offers": ("creator",),
    "referrals": ("referrer", "user", "stage"),
    "eeo_responses_pii": ("contact", "hiringManager", "posting"),
}
"""What each list can expand, one level deep (documented)."""

TABLES: dict[str, str] = {
    "applications": "applications",
    "stage": "stages",
    "contact": "contacts",
    "posting": "postings",
    "postings": "postings",
    "feedbackForms": "forms",
}
"""Where an expanded attribute is looked up; everything else is a user."""

ODD = {"applications": "applications", "feedbackForms": "feedback"}
"""Expanded lists whose objects may hold odd values, too."""


class Shaper:
    """Shapes the objects of one request."""

    def __init__(
        self,
        state: State,
        journal: Journal,
        endpoint: str,
        kind: str,
        params: Params,
        says: Callable[[str], str],
    ) -> None:
        """Read ``expand`` (repeated) and ``include`` (a whitelist, documented).

        What a comma form of ``expand`` does is a switch; ``says`` is asked for one where its values part.
        """
        self._state = state
        self._kind = kind
        self._says = says
        known = EXPAND.get(kind, ())
        asked = params.all("expand")
        if any("," in value for value in asked) and says("expand_comma") == "split":
            asked = [name for value in asked for name in value.split(",")]
        for name in asked:
            if name not in known:
                journal.unknown_param("lever", endpoint, f"expand={name}")
                if says("expand_unknown") == "400":
                    raise bad_request(f"expand {name} is not supported")
        self._expand = [name for name in known if name in asked]
        self._include = set(params.all("include"))

    def __call__(self, item: Record) -> Record:
        """The object as it is sent."""
        item = self._odd(self._kind, item)
        if not self._expand and not self._include:
            return item
        shaped = dict(item)
        if self._include:
            shaped = {name: value for name, value in shaped.items() if name in self._include or name in self._expand}
        for name in self._expand:
            if name in shaped:
                shaped[name] = self._expanded(name, shaped[name])
        return shaped

    def _odd(self, kind: str, item: Record) -> Record:
        """The object with odd values, where a switch says so."""
        found = odd(kind, item)
        return found if found is not item and self._says("odd_values") == "on" else item

    def _expanded(self, name: str, value: Any) -> Any:
        """An id or a list of ids as objects; what does not exist any more stays an id (guess)."""
        company = self._state.company
        tables: dict[str, dict[str, Record]] = {
            "applications": company.applications,
            "contacts": company.contacts,
            "stages": self._state.stages,
            "postings": self._state.postings,
            "forms": self._state.forms,
        }
        table = tables.get(TABLES.get(name, ""), self._state.users)
        if name == "applications" and value and self._says("expanded_applications") != "full":
            return [_without_questions(table[item]) if item in table else item for item in value]
        if isinstance(value, list):
            kind = ODD.get(name, "")
            return [self._odd(kind, table[item]) if item in table else item for item in value]
        return table.get(value, value) if value is not None else None


def _without_questions(application: Record) -> Record:
    """An expanded application that lacks what the single one has: whether it is whole is not recorded (a switch)."""
    return {name: value for name, value in application.items() if name != "customQuestions"}
