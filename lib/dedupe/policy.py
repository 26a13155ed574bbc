"""What may differ from one customer to the next in deciding who is the same person."""

from dataclasses import dataclass, field
from typing import Final

SAME_FROM: Final = 0.5  # pairs at least so likely to be one person are proposed as such
SURVIVES: Final = {"name": "fullest", "headline": "newest", "location": "newest", "email": "newest", "phone": "newest",
                   "links": "newest"}  # fmt: skip
"""Whose value a person keeps, of several contacts, where the customer does not say otherwise."""


@dataclass(frozen=True, kw_only=True)
class DedupePolicy:
    """Settings of `dedupe`.

    region: ISO 3166 code assumed for phone numbers without a country prefix; None leaves such numbers uncompared.
    review_from: pairs with at least this score (0..1) are listed for review.
    block_limit: among more people than this with one value in common, only pairs with like names are listed.
    survives: field → "newest", "oldest", or for the name "fullest": whose value a person keeps of several contacts.
    shared_mailboxes: canonical addresses known to be used by several people; they join nobody without a verdict.
    """

    region: str | None = None
    review_from: float = 0.3
    block_limit: int = 12
    survives: dict[str, str] = field(default_factory=lambda: dict(SURVIVES))
    shared_mailboxes: frozenset[str] = frozenset()
