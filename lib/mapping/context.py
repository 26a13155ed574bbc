"""What every part of the compilation needs at hand."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.mapping.losses import Losses, Treatment
from lib.mapping.model import Decisions, Lessons
from lib.mapping.render import has_html
from lib.mapping.settings import Settings
from lib.mapping.source import Reader, Source
from lib.mapping.standing import Existing, Fingerprints


@dataclass
class Context:
    """Inputs of one compilation, and what grows while it runs: losses and fingerprints in use.

    `existing` are the candidates that stood in Ashby before, by id; `made` are the opportunities whose application
    an earlier load of this workbook has made; `owners` says who gets an address that this Ashby takes once only.
    """

    reader: Reader
    source: Source
    settings: Settings
    decisions: Decisions
    losses: Losses
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    existing: Existing = field(init=False)
    made: Container[str] = frozenset()
    owners: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Whom the reader knows in Ashby."""
        self.existing = Existing(self.reader)

    @property
    def lessons(self) -> Lessons:
        """What this Ashby does not take, by the verdicts of refusals.csv."""
        return self.decisions.lessons

    def lose(
        self, lever_type: str, name: str, *, lever_id: str, treatment: Treatment, where: str = "", reason: str = ""
    ) -> None:
        """Count one loss."""
        self.losses.add(lever_type, name, lever_id=lever_id, treatment=treatment, where=where, reason=reason)

    def lose_layout(self, lever_type: str, lever_id: str, fields: Iterable[Mapping[str, Any]]) -> None:
        """Count a text that is HTML in Lever and lines in Ashby."""
        if has_html(fields):
            self.lose(
                lever_type, "fields (layout)", lever_id=lever_id, treatment="moved changed", where="its text",
                reason="HTML becomes lines of text: paragraphs, lists and links stay, layout does not",
            )  # fmt: skip

    def account(self, lever_type: str, item: Mapping[str, Any], *, lever_id: str) -> None:
        """Count the attributes of an object that do not move."""
        self.losses.account(lever_type, item, lever_id=lever_id)
