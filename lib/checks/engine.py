"""Runs expectations of Great Expectations on tables, and gives back counts and ids, never values.

Great Expectations is imported inside the function: it takes seconds. Its habits that this module guards against
(all observed with 1.24): other result formats carry real values; an empty table passes every column check; a missing
column is a failure with an exception and no numbers; not-null checks may name no rows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from pandas import DataFrame

CRITICAL, WARNING = "critical", "warning"
N_IDS = 5
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


def check(name: str, frames: dict[str, DataFrame], expectations: list[Expect]) -> SuiteResult:
    """Run all expectations; those on a table that was not given are shown as could not run."""
    rows: list[dict[str, Any]] = [{}] * len(expectations)
    for table in dict.fromkeys(one.table for one in expectations):
        numbered = [(number, one) for number, one in enumerate(expectations) if one.table == table]
        if table not in frames:
            for number, one in numbered:
                rows[number] = _row(name, one, None, None)
            continue
        outcomes = _validate(table, frames[table], numbered)
        for number, one in numbered:
            rows[number] = _row(name, one, outcomes.get(number), frames[table])
    return SuiteResult(name, rows)


def _validate(table: str, frame: DataFrame, numbered: list[tuple[int, Expect]]) -> dict[int, Any]:
    """{number: result of Great Expectations}."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # it would tell its maker about each run
    import great_expectations as gx  # noqa: PLC0415 - takes seconds, and only here is it needed
    from great_expectations import expectations as kinds  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(
        name=table,
        expectations=[
            getattr(kinds, one.kind)(severity=one.severity, meta={"number": number}, **one.options)
            for number, one in numbered
        ],
    )
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset(table)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    found = batch.validate(suite, result_format=_FORMAT)
    return {one.expectation_config.meta["number"]: one for one in found.results}


def _row(suite: str, expect: Expect, outcome: Any, frame: DataFrame | None) -> dict[str, Any]:
    numbers = dict(outcome.result) if outcome is not None else {}
    could_run = outcome is not None and not _raised(outcome.exception_info)
    n_tested = int(numbers.get("element_count", 0 if frame is None else len(frame)))
    n_unexpected = int(numbers.get("unexpected_count", 0))
    ok = could_run and bool(outcome.success)
    values = (
        "/".join([suite, expect.table, expect.column or "rows", expect.kind.removeprefix("Expect")]),
        expect.table, expect.says, expect.column, expect.severity, n_tested, n_unexpected,
        round(1 - n_unexpected / n_tested, 6) if n_tested else float(ok), ok, could_run,
        [] if ok or not could_run or frame is None else _ids(numbers, expect, frame),
    )  # fmt: skip
    return {"suite": suite, **dict(zip(_ROW, values, strict=True))}


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
