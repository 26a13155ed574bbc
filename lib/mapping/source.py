"""What the mapping knows of the Lever account: short lists by id, opportunities by contact, and who may not move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Protocol

from lib.mapping import scope
from lib.mapping.settings import Settings
from lib.normalize import ms_to_iso, text_safe

Item = dict[str, Any]
_TOGETHER = (("feedback", "forms", "referrals"), ("notes", "files", "resumes", "offers", "interviews", "panels"))
"""Child lists that are read with one question: what a scan needs, and the rest."""
_NEAR = 32  # opportunities whose children are kept: those of the person in hand
NO_REASON = "none"
"""Stands for "archived without a reason" in archive_reasons.csv."""


class Reader(Protocol):
    """The part of the store that the mapping reads."""

    def all(self, stream: str) -> Iterator[Item]:
        """Newest body of each object of a stream, ordered by Lever id."""

    def of(self, stream: str, parent_id: str) -> list[Item]:
        """Children of one parent, ordered by Lever id."""

    def get(self, stream: str, lever_id: str) -> Item | None:
        """One object."""

    def file(self, lever_id: str) -> Any:
        """The stored file of a Lever id, or None."""

    def ashby(self, kind: str) -> list[Item]:
        """Objects of the target that this workbook did not make."""


def ident(value: Any) -> str:
    """The id of a reference that may be an id or, when expanded, the whole object; "" when there is none."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def clean(value: Any) -> str:
    """Any value as safe text without spaces at its ends; "" for None and for not-a-number."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    return text_safe(str(value)).strip()


def stamp(ms: Any) -> str:
    """A moment as people read it, always UTC, never rounded away: `2024-01-31 10:20:30 UTC`."""
    if not isinstance(ms, int | float) or isinstance(ms, bool):
        return "date not recorded"
    return ms_to_iso(int(ms))[:19].replace("T", " ") + " UTC"


@dataclass
class Source:
    """Short lists of the account, read once; everything else is read per person.

    `former` is {a user as notes name them: as notes named them when they were called otherwise}.
    """

    reader: Reader
    settings: Settings
    now_ms: int
    users: dict[str, Item] = field(default_factory=dict)
    former: dict[str, list[str]] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, Item] = field(default_factory=dict)
    postings: dict[str, Item] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    deleted_applications: set[str] = field(default_factory=set)
    _near: dict[tuple[str, tuple[str, ...]], dict[str, list[Item]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the short lists."""
        read = self.reader.all
        self.users = {item["id"]: item for item in read("users")}
        for item in read("users_former"):
            now, before = self.who(item["id"]), self.who(item)
            if "<" in now and "<" in before:  # a bare name may be a part of any other text
                self.former.setdefault(now, []).append(before)
        self.stages = {item["id"]: clean(item.get("text")) for item in read("stages")}
        for disposition in read("disposition_stages"):
            for stage in disposition.get("stages") or []:
                self.pipelines[stage["id"]] = stage.get("pipeline") or ""
        self.reasons = {item["id"]: item for item in read("archive_reasons")}
        self.postings = {item["id"]: item | {"state": "deleted"} for item in read("postings_deleted")}
        self.postings |= {item["id"]: item for item in read("postings")}
        self.deleted = {item["id"] for item in read("opportunities_deleted")}
        self.deleted_applications = {item["id"] for item in read("applications_deleted")}

    def opportunities(self, contact: str) -> list[Item]:
        """Opportunities of one contact, oldest first."""
        return sorted(self.reader.of("opportunities", contact), key=age)

    def children(self, stream: str, opportunity: Item) -> list[Item]:
        """Notes, feedback … of one opportunity, oldest first."""
        every, together = getattr(self.reader, "every", None), next((one for one in _TOGETHER if stream in one), ())
        if every is None or not together:
            return sorted(self.reader.of(stream, opportunity["id"]), key=age)
        key = (opportunity["id"], together)
        if key not in self._near:
            while len(self._near) >= _NEAR:
                del self._near[next(iter(self._near))]
            self._near[key] = {name: sorted(items, key=age) for name, items in every(key[0], together).items()}
        return list(self._near[key][stream])

    def application(self, opportunity: Item) -> Item | None:
        """The application of an opportunity (Lever keeps at most one), or None; deleted ones do not count."""
        for item in opportunity.get("applications") or []:
            found = item if isinstance(item, dict) else {"id": item}
            if found.get("id") not in self.deleted_applications:
                return found
        return None

    def posting(self, opportunity: Item) -> str:
        """The id of the posting of an opportunity; "" when it has none."""
        return ident((self.application(opportunity) or {}).get("posting"))

    def title(self, posting: str) -> str:
        """The title of a posting, for people to read."""
        if not posting:
            return "no posting"
        return clean(self.postings.get(posting, {}).get("text")) or f"posting {posting}"

    def who(self, user: Any) -> str:
        """A user as a reader of a note knows them: name and address."""
        found = user if isinstance(user, dict) and user.get("name") else self.users.get(ident(user))
        if not found:
            return f"user {ident(user)}" if ident(user) else "author not recorded"
        mail = clean(found.get("email"))
        return clean(found.get("name")) + (f" <{mail}>" if mail else "")

    def stage(self, stage: Any) -> str:
        """The text of a stage; its id when Lever no longer lists it."""
        return self.stages.get(ident(stage)) or f"stage {ident(stage)} (no longer in Lever)"

    def reason(self, opportunity: Item) -> str:
        """The id of the archive reason: `none` when archived without one, "" when not archived."""
        archived = opportunity.get("archived")
        return (ident(archived.get("reason")) or NO_REASON) if archived else ""

    def state(self, opportunity: Item) -> str:
        """active, archived or hired; "hired" by the type of the reason, not by its text."""
        reason = self.reason(opportunity)
        if not reason:
            return "active"
        return "hired" if self.reasons.get(reason, {}).get("type") == "hired" else "archived"

    def never(self, opportunity: Item) -> str:
        """The rule by which an opportunity may not move; "" when it may."""
        if anonymised(opportunity):
            return "anonymised in Lever"
        if opportunity["id"] in self.deleted or opportunity.get("deletedAt"):
            return "deleted in Lever"
        return self._out_of_scope(opportunity)

    def _out_of_scope(self, opportunity: Item) -> str:
        posting = self.posting(opportunity)
        return scope.outside(
            self.settings, opportunity, state=self.state(opportunity), confidential=self.confidential(opportunity),
            posting=self.postings.get(posting) or ({"id": posting} if posting else {}),
        )  # fmt: skip

    def confidential(self, opportunity: Item) -> bool:
        """Whether an opportunity, or the posting that it hangs on, is confidential in Lever."""
        posting = self.postings.get(self.posting(opportunity), {})
        return "confidential" in (opportunity.get("confidentiality"), posting.get("confidentiality"))

    def consent(self, opportunities: list[Item]) -> str:
        """allowed, denied, expired or unknown: what the newest statement in `dataProtection.store` says."""
        for opportunity in sorted(opportunities, key=age, reverse=True):
            store = (opportunity.get("dataProtection") or {}).get("store") or {}
            if store.get("allowed") is False:
                return "denied"
            if store.get("allowed") is True:
                expires = store.get("expiresAt")
                return "expired" if isinstance(expires, int) and expires <= self.now_ms else "allowed"
        return "unknown"

    def refusal(self, opportunities: list[Item]) -> str:
        """The rule of consent by which a contact may not move; "" when it may."""
        consent = self.consent(opportunities)
        rules = {"denied": self.settings.consent_denied, "expired": self.settings.consent_expired}
        return f"consent {consent}" if rules.get(consent) == "never" else ""


def anonymised(opportunity: Item) -> bool:
    """Whether Lever erased the person (doc: personal data gone, metadata stays)."""
    contact = opportunity.get("contact")
    return bool(opportunity.get("isAnonymized") or (isinstance(contact, dict) and contact.get("isAnonymized")))


def age(item: Item) -> tuple[int, str]:
    """Sort key: creation, then id."""
    moment = item.get("createdAt") or item.get("uploadedAt") or 0
    return (int(moment) if str(moment).isdigit() else 0, item["id"])
