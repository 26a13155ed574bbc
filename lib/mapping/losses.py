"""What does not arrive, or arrives changed: counted per field, treatment, place and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lib.mapping.account import ACCOUNT, WHOLE

Treatment = Literal["archived only", "moved changed", "never", "note"]
Key = tuple[str, str, str, str, str]

IN_DOUBT = "(bytes in doubt)"  # of files that are there, and of which somebody should look at each
_EXAMPLES, _EXAMPLES_IN_DOUBT = 3, 50


@dataclass
class Losses:
    """The loss list of one plan. Holds ids and counts, no personal data."""

    counts: dict[Key, int] = field(default_factory=dict)
    examples: dict[Key, list[str]] = field(default_factory=dict)
    ids: dict[Key, dict[str, None]] = field(default_factory=dict)

    def add(
        self, lever_type: str, name: str, *, lever_id: str, treatment: Treatment, where: str = "", reason: str = ""
    ) -> None:
        """Count one record whose field `name` is treated so; `where` says where it goes instead."""
        key = (lever_type, name, treatment, where, reason)
        self.counts[key] = self.counts.get(key, 0) + 1
        shown = self.examples.setdefault(key, [])
        if len(shown) < (_EXAMPLES_IN_DOUBT if name == IN_DOUBT else _EXAMPLES) and lever_id not in shown:
            shown.append(lever_id)
        if name == IN_DOUBT or (name.startswith("(") and treatment in ("never", "archived only")):
            self.ids.setdefault(key, {})[lever_id] = None

    def account(self, lever_type: str, item: Mapping[str, Any], *, lever_id: str) -> None:
        """Count each filled attribute of a Lever object that is not moved, and each one that nobody knows.

        An object of which nothing moves counts once.
        """
        if lever_type in WHOLE:
            name, why = f"({lever_type})", WHOLE[lever_type]
            self.add(lever_type, name, lever_id=lever_id, treatment="archived only", where="raw archive", reason=why)
            return
        known = ACCOUNT[lever_type]
        for name, value in item.items():
            treatment, where, reason = known.get(name, _UNKNOWN)
            if treatment in ("archived only", "never") and value not in _NOTHING:
                self.add(lever_type, name, lever_id=lever_id, treatment=treatment, where=where, reason=reason)

    def rows(self) -> list[dict[str, Any]]:
        """One dict per kind of loss, sorted by type and field.

        Where whole records stay behind, or bytes are in doubt, `ids` holds all of them: a count would hide which.
        """
        return [
            {
                "field": name,
                "lever_type": lever_type,
                "n_records": self.counts[key],
                "treatment": treatment,
                "where": where,
                "reason": reason,
                "examples": list(self.examples[key]),
                **({"ids": list(self.ids[key])} if key in self.ids else {}),
            }
            for key in sorted(self.counts)
            for lever_type, name, treatment, where, reason in [key]
        ]


_NOTHING: tuple[Any, ...] = (None, "", [], {}, False, "non-confidential")
"""Values that say nothing: leaving them behind is no loss."""

_UNKNOWN = ("archived only", "raw archive", "an attribute that the mapping does not know")
