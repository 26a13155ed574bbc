"""What may differ from one customer to the next in deciding who is the same person."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DedupePolicy:
    """Settings of `dedupe`.

    region: ISO 3166 code assumed for phone numbers without a country prefix; None leaves such numbers uncompared.
    review_from: pairs with at least this score (0..1) are listed for review.
    block_limit: among more people than this with one value in common, only pairs with like names are listed.
    shared_mailboxes: canonical addresses known to be used by several people; they join nobody without a verdict.
    """

    region: str | None = None
    review_from: float = 0.3
    block_limit: int = 12
    shared_mailboxes: frozenset[str] = frozenset()
