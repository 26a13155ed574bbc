"""Runs expectations of Great Expectations on tables, and gives back counts and ids, never values.

Great Expectations is imported inside the function: it takes seconds. Its habits that this module guards against
(all observed with 1.24): other result formats carry real values; an empty table passes every column check; a missing
column is a failure with an exception and no numbers; not-null checks may name no rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pandas import DataFrame

from lib.checks.seen import Seen

CRITICAL, WARNING = "critical", "warning"
N_IDS = 5
UNIQUE, HAS_ROWS = "ExpectColumnValuesToBeUnique", "ExpectTableRowCountToBeBetween"
_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["lever_id"],
    "exclude_unexpected_values": True,
}


@dataclass(frozen=True)
class Expect:
    """One expectation in words: `kind` is a class name of Great Expectations, `options` its arguments.

    `table` names the frame it looks at. Frames have a column `lever_id`, by which faulty rows are named.
    """

    table: str
    says: str
    kind: str
    options: dict[str, Any]
    severity: str = CRITICAL

    @property
    def column(self) -> str:
        """The column or columns it looks at; "" for the table as a whole."""
        names = [self.options.get(name) for name in ("column", "column_A", "column_B")]
        return ", ".join(str(name) for name in [*names, *self.options.get("column_list", [])] if name)


@dataclass(frozen=True)
class SuiteResult:
    """What a suite found: one row per expectation, red and green."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when nothing critical failed or could not run."""
        return not self.reds

    @property
    def reds(self) -> list[dict[str, Any]]:
        """Critical expectations that failed, or could not run."""
        return [row for row in self.rows if row["severity"] == CRITICAL and not row["ok"]]

    def frame(self) -> DataFrame:
        """The rows as a table."""
        return DataFrame(self.rows, columns=["suite", *_ROW])


_ROW = (
    "id", "table", "expectation", "column", "severity", "n_tested", "n_unexpected", "share", "ok", "could_run", "ids",
)  # fmt: skip


def check(
    name: str, parts: Mapping[str, DataFrame] | Iterable[Mapping[str, DataFrame]], expectations: list[Expect]
) -> SuiteResult:
    """Run all expectations on tables that come at once, or in parts of which one is in memory at a time.

    A table is unique when it is so over all of its parts, and has rows when one of them has. Expectations on a table
    that was not given are shown as could not run.
    """
    totals = [_Total(name, one) for one in expectations]
    suites: dict[str, _Suite] = {}
    for part in [parts] if isinstance(parts, Mapping) else parts:
        for table, frame in part.items():
            numbered = [(number, one) for number, one in enumerate(expectations) if one.table == table]
            if numbered:
                suite = suites.setdefault(table, _Suite(table, numbered))
                outcomes = suite.outcomes(frame)
                for number, _ in numbered:
                    totals[number].add(outcomes.get(number), frame)
    return SuiteResult(name, [one.row() for one in totals])


class _Suite:
    """The expectations on one table, made once for all of its parts."""

    def __init__(self, table: str, numbered: list[tuple[int, Expect]]) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # it would tell its maker about each run
        import great_expectations as gx  # noqa: PLC0415 - takes seconds, and only here is it needed
        from great_expectations import expectations as kinds  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        self._suite = gx.ExpectationSuite(
            name=table,
            expectations=[
                getattr(kinds, one.kind)(severity=one.severity, meta={"number": number}, **one.options)
                for number, one in numbered
            ],
        )
        asset = context.data_sources.add_pandas("tables").add_dataframe_asset(table)
        self._all = asset.add_batch_definition_whole_dataframe("all")

    def outcomes(self, frame: DataFrame) -> dict[int, Any]:
        """{number: result of Great Expectations}."""
        batch = self._all.get_batch(batch_parameters={"dataframe": frame})
        found = batch.validate(self._suite, result_format=_FORMAT)
        return {one.expectation_config.meta["number"]: one for one in found.results}


class _Total:
    """What an expectation found in all parts of its table."""

    def __init__(self, suite: str, expect: Expect) -> None:
        self._suite, self._expect = suite, expect
        self._n_tested = self._n_unexpected = 0
        self._outcomes: list[bool] = []
        self._could_run = True
        self._ids: list[str] = []
        self._seen = Seen()

    def add(self, outcome: Any, frame: DataFrame) -> None:
        """Add the result of one part."""
        numbers = dict(outcome.result) if outcome is not None else {}
        could_run = outcome is not None and not _raised(outcome.exception_info)
        self._n_tested += int(numbers.get("element_count", len(frame)))
        self._n_unexpected += int(numbers.get("unexpected_count", 0))
        self._could_run &= could_run
        self._outcomes.append(could_run and bool(outcome.success))
        if could_run and not outcome.success:
            self._ids += _ids(numbers, self._expect, frame)
        if could_run and self._expect.kind == UNIQUE:
            self._add_repeated(frame)

    def _add_repeated(self, frame: DataFrame) -> None:
        """Values that stood in an earlier part; those that stand twice in this one are told already."""
        values = frame[self._expect.options["column"]]
        again = self._seen.add(values) & ~values.duplicated(keep=False).to_numpy()
        if again.any():
            self._n_unexpected += int(again.sum())
            self._outcomes.append(False)
            self._ids += [str(one) for one in frame.loc[again, "lever_id"].head(N_IDS)]

    def row(self) -> dict[str, Any]:
        """The row of the suite's result."""
        expect, n_tested = self._expect, self._n_tested
        could_run = bool(self._outcomes) and self._could_run
        ok = could_run and (any(self._outcomes) if expect.kind == HAS_ROWS else all(self._outcomes))
        values = (
            "/".join([self._suite, expect.table, expect.column or "rows", expect.kind.removeprefix("Expect")]),
            expect.table, expect.says, expect.column, expect.severity, n_tested, self._n_unexpected,
            round(1 - self._n_unexpected / n_tested, 6) if n_tested else float(ok), ok, could_run,
            [] if ok or not could_run else list(dict.fromkeys(self._ids))[:N_IDS],
        )  # fmt: skip
        return {"suite": self._suite, **dict(zip(_ROW, values, strict=True))}


def _raised(info: Any) -> bool:
    """True when an expectation ended in an exception; the information is one dict, or one per metric."""
    if not isinstance(info, dict):
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_raised(one) for one in info.values())


def _ids(numbers: dict[str, Any], expect: Expect, frame: DataFrame) -> list[str]:
    """Up to five Lever ids of faulty rows."""
    found: list[str] = []
    for entry in numbers.get("unexpected_index_list") or []:
        ids = entry.get("lever_id", []) if isinstance(entry, dict) else []
        found += [str(one) for one in (ids if isinstance(ids, list) else [ids])]
    if not found and expect.kind == "ExpectColumnValuesToNotBeNull" and "lever_id" in frame:
        found = [str(one) for one in frame.loc[frame[expect.options["column"]].isna(), "lever_id"]]
    return list(dict.fromkeys(found))[:N_IDS]
