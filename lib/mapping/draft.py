"""A plan on its way from the compiler to the store: on disk, because it may be larger than memory."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from lib.mapping.plan import Hash, PlanRow, canonical, digest


class Draft:
    """Takes the rows of a plan, counts and hashes them, and gives them back as the store keeps them.

    The file has no name in the folder, so that nothing of it is left when the process dies; OSError when the disk is
    full.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="ascii", dir=folder)  # noqa: SIM115 - closed by __exit__
        self._hash = Hash()
        self.kinds: Counter[str] = Counter()

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    @property
    def plan_hash(self) -> str:
        """What `lib.mapping.plan_hash` gives for the rows that were taken."""
        return self._hash.hexdigest()

    def take(self, rows: Iterable[PlanRow]) -> None:
        """Write down all rows."""
        for row in rows:
            self.kinds[row.kind] += 1
            body = canonical(row.body)
            body_hash = digest(body)
            self._hash.add(row, body_hash)
            values = {
                name: getattr(row, name) for name in ("row_id", "kind", "lever_type", "lever_id", "person", "seq")
            }
            values |= {"link": row.link, "body_hash": body_hash, "needs": _ascii(list(row.needs))}
            values["body"] = body.decode("ascii") if body.isascii() else _ascii(row.body)
            self._file.write(json.dumps(values) + "\n")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as the store's plan table holds it, but for its position."""
        self._file.seek(0)
        yield from map(json.loads, self._file)


def _ascii(value: Any) -> str:
    """JSON text as the store keeps it: in ASCII, with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
