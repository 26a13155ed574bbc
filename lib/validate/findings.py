"""What a validation finds: how many fields were compared, how many are equal, and every difference by name.

Details say lengths, salted hashes, ids and times; never a person's data.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from lib.validate.values import same_moment

COLUMNS = ("object", "lever_id", "ashby_id", "field", "kind", "detail", "severity")
REFUSED = "refused"
"""Severity of what Ashby refused and the load set aside: named, not critical, and never certified."""
KINDS = ("missing", "different", "surplus", "doubled", "unreadable")


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that is looked at: what it is, its ids on both sides, and why it is in the sample ("" when not)."""

    object: str
    lever_id: str
    ashby_id: str = ""
    why: str = ""


@dataclass
class Findings:
    """Collects comparisons from any thread. `salt` makes the hashes in details useless for guessing.

    `unit_ms` is what this Ashby keeps times in: milliseconds, or whole seconds.
    """

    salt: str = ""
    unit_ms: int = 1
    differences: list[dict[str, str]] = field(default_factory=list)
    expected: Counter[tuple[str, str]] = field(default_factory=Counter)
    equal: Counter[tuple[str, str]] = field(default_factory=Counter)
    sample: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(
        self,
        about: Subject,
        name: str,
        *,
        same: bool,
        detail: str = "",
        kind: str = "different",
        severity: str = "critical",
    ) -> bool:
        """Count one comparison of the field `name`; a difference is recorded when it is not the same."""
        with self._lock:
            self.expected[about.object, name] += 1
            self.equal[about.object, name] += same
            if about.why:
                row = {"object": about.object, "lever_id": about.lever_id, "field": name, "why": about.why}
                self.sample.append(row | {"n_expected": 1, "n_equal": int(same), "severity": severity})
        if not same:
            self.differ(about, name, kind=kind, detail=detail, severity=severity)
        return same

    def differ(self, about: Subject, name: str, *, kind: str, detail: str = "", severity: str = "critical") -> None:
        """Record one difference that is no comparison of a field."""
        values = (about.object, about.lever_id, about.ashby_id, name, kind, detail, severity)
        with self._lock:
            self.differences.append(dict(zip(COLUMNS, values, strict=True)))

    def same_moment(self, sent: Any, found: Any) -> bool:
        """True when a time came back as it was sent, as exactly as this Ashby keeps times."""
        return same_moment(sent, found, unit_ms=self.unit_ms)

    def told(self, sent: Any, found: Any) -> str:
        """Both values without showing them."""
        return f"sent {self._shape(sent)}, found {self._shape(found)}"

    def _shape(self, value: Any) -> str:
        if value in (None, "", [], {}):
            return "nothing"
        text = value if isinstance(value, str) else repr(value)
        mark = hashlib.blake2s(text.encode("utf-8", "surrogatepass"), key=self.salt.encode()[:32]).hexdigest()[:6]
        return f"{len(text)} characters ({mark})"

    def rows(self) -> list[dict[str, str]]:
        """All differences, each with an `id` that stays the same from run to run; critical ones first."""
        found = sorted(self.differences, key=lambda one: (one["severity"], *(one[name] for name in COLUMNS)))
        seen: Counter[str] = Counter()
        rows = []
        for one in found:
            base = "/".join([one["object"], one["lever_id"] or one["ashby_id"], one["field"], one["kind"]])
            seen[base] += 1
            rows.append({"id": base + (f"#{seen[base]}" if seen[base] > 1 else ""), **one})
        return rows

    def sample_rows(self) -> list[dict[str, Any]]:
        """{object, lever_id, field, why, n_expected, n_equal, share, severity} of everything read closely.

        The severity is that of the worst difference; without one, that which a difference would have.
        """
        groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self.sample:
            groups[row["object"], row["lever_id"], row["field"], row["why"]].append(row)
        return [_summed(rows) for _, rows in sorted(groups.items())]

    def fidelity(self) -> list[dict[str, Any]]:
        """{field, object, n_expected, n_equal, share} of every field that was compared."""
        return [
            {
                "object": kind,
                "field": name,
                "n_expected": n_expected,
                "n_equal": self.equal[kind, name],
                "share": round(self.equal[kind, name] / n_expected, 6),
            }
            for (kind, name), n_expected in sorted(self.expected.items())
        ]


def _summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    n_expected, n_equal = len(rows), sum(row["n_equal"] for row in rows)
    weights = {row["severity"] for row in rows if not row["n_equal"]} or {row["severity"] for row in rows}
    severity = "critical" if "critical" in weights else "warning"
    share = round(n_equal / n_expected, 6)
    return rows[0] | {"n_expected": n_expected, "n_equal": n_equal, "share": share, "severity": severity}
