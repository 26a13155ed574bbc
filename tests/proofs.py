"""How much of a proof runs, and where its figures go.

The ordinary suite runs a fixed portion of every proof; `make prove` sets WORKBOOK_PROVE and runs the whole, and
collects what each proof tells into the report `docs/proof.md` (see prove.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeVar

PROVE = bool(os.environ.get("WORKBOOK_PROVE"))
Size = TypeVar("Size")


def amount(ordinary: Size, whole: Size) -> Size:
    """How many rounds (or which): the portion of the ordinary suite, or all of them under `make prove`."""
    return whole if PROVE else ordinary


def seeds(text: str) -> range:
    """The seeds that WORKBOOK_SEEDS asks for: `10000` are the first ten thousand, `500:1000` a part of them."""
    first, _, end = text.rpartition(":")
    return range(int(first or 0), int(end))


def tell(promise: str, what: str, **figures: Any) -> None:
    """One line of the report: which promise (`P1`), what was done in words, and what came of it.

    Goes nowhere unless WORKBOOK_PROOF names a file; several processes may append to it.
    """
    path = os.environ.get("WORKBOOK_PROOF")
    if path:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        line = json.dumps({"promise": promise, "what": what, "figures": figures, "test": test})
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
