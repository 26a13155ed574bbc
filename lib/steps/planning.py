"""The checklist before a move, computed from what is known and never ticked by hand; and what each strategy means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.decisions import DecisionTable
from lib.extract import CHILDREN, RECENT
from lib.extract.reports import lively
from lib.mapping import scope
from lib.mapping.settings import settings
from lib.mapping.source import Source
from lib.steps import signing
from lib.store.ledger import Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

Row = dict[str, Any]
DONE, OPEN, DECIDE = "done", "open", "decide"
YEARS_3 = 3 * 365 * 86_400_000
SECONDS_A_VERDICT = 20  # of a person, for a row with a proposal: an assumption, said where it is used
TABLES = (
    ("custom fields", ("custom_fields",)),
    ("users", ("users",)),
    ("postings and stages", ("postings", "stages")),
    ("sources", ("sources",)),
    ("archive reasons", ("archive_reasons",)),
    ("tags and feedback forms", ("tags", "feedback_forms", "feedback_fields")),
    ("people", ("people",)),
)


def checklist(book: Workbook) -> list[Row]:
    """Rows of {item, state, figures, do} after an audit: `done`, `open` (somebody has work), `decide` (a choice)."""
    facts = _facts(book)
    tables = [_decisions(book, title, names) for title, names in TABLES]
    first = [_data(book, facts), _scope(book, facts), _keys(book)]
    return [*first, *tables, _losses(book), *_strategies(book, facts), *_timeline(book)]


def _row(item: str, state: str, figures: str, do: str = "") -> Row:
    return {"item": item, "state": state, "figures": figures, "do": do}


def _facts(book: Workbook) -> dict[str, int]:
    """What the opportunities tell, in one walk: counts by name."""
    now = int(book.store.meta("extract.since") or 0)
    since, source = now - RECENT, Source(Reading(book.store), settings(book.params.policy), now)
    named = scope.Named(source.settings, source.postings)
    found = dict.fromkeys(("all", "moving", "active", "lively", "old", "confidential"), 0)
    for item in book.store.all("opportunities"):
        archived_at = (item.get("archived") or {}).get("archivedAt")
        named.count(source.posting(item), item.get("tags") or [])
        found["all"] += 1
        found["moving"] += not source.never(item)
        found["active"] += not item.get("archived")
        found["lively"] += lively(item, since)
        found["old"] += bool(item.get("archived")) and int(archived_at or 0) < now - YEARS_3
        found["confidential"] += item.get("confidentiality") == "confidential"
    if book.store.meta("extract.finished_ms"):
        named.check()
    found["drafts"] = sum(one.get("state") == "draft" for one in book.store.all("postings"))
    return found


def _data(book: Workbook, facts: dict[str, int]) -> Row:
    here = [f"{book.store.count(name):,} {name}" for name in ("notes", "feedback", "files", "resumes")]
    whole = book.store.meta("extract.finished_ms")
    figures = (
        f"{facts['all']:,} opportunities, {book.store.count('postings'):,} postings; read so far: {', '.join(here)}"
    )
    return _row("data audit", DONE if whole else OPEN, figures, "" if whole else "run 02_extract: it counts the rest")


def _scope(book: Workbook, facts: dict[str, int]) -> Row:
    chosen = {
        name: value for name, value in book.params.policy.scope.model_dump().items() if value not in ("", [], True)
    }
    told = (
        f"{facts['moving']:,} of {facts['all']:,} opportunities move, before consent is asked; among all: "
        f"{facts['old']:,} archived more than three years ago, {facts['drafts']:,} draft postings, "
        f"{facts['confidential']:,} confidential"
    )
    if chosen:
        return _row("scope", DONE, f"{', '.join(f'{name} = {value}' for name, value in chosen.items())}; {told}")
    return _row("scope", DECIDE, told, "if less is to move: policy.scope in the params file")


def _decisions(book: Workbook, title: str, names: Iterable[str]) -> Row:
    tables: list[DecisionTable] = [book.table(name) for name in names]
    n_rows, n_open = sum(len(one.rows) for one in tables), sum(len(one.open_rows()) for one in tables)
    where = ", ".join(f"{one.name}.csv" for one in tables)
    if not any(one.path.is_file() for one in tables):
        step = "03_dedupe" if title == "people" else "04_map"
        return _row(title, OPEN, "not proposed yet", f"{step} proposes it, in {where}")
    figures = f"{n_rows - n_open:,} of {n_rows:,} rows are decided, or need no decision"
    if names == ("users",) and not n_open:
        return _users(book, tables[0], title, figures)
    return _row(title, OPEN if n_open else DONE, figures, f"fill the column verdict of {where}" if n_open else "")


def _users(book: Workbook, table: DecisionTable, title: str, figures: str) -> Row:
    """Who has no account in Ashby, and what that means for the feedback they wrote."""
    without = [_number(row["n_records"]) for row in table.rows if row["verdict"].casefold() == "none"]
    n_users, n_records, stand_in = sum(n > 0 for n in without), sum(without), book.params.policy.placeholder_user
    if not n_users:
        return _row(title, DONE, figures)
    figures += f"; {n_users:,} without an account in Ashby are named in {n_records:,} records"
    if stand_in:
        return _row(title, DONE, f"{figures}; {stand_in} stands for authors of feedback among them")
    do = "feedback of theirs becomes a note, unless policy.placeholder_user names somebody who stands for them"
    return _row(title, DECIDE, figures, do)


def _number(text: str) -> int:
    """A count as somebody may have left it in a spreadsheet; a row made by hand has none."""
    digits = text.replace(",", "").partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _losses(book: Workbook) -> Row:
    if not signing.is_signed(book):
        return _row("losses", DONE, "need not be signed (policy.losses)")
    table = signing.table_of(book.customer, book.store)
    n_left = len(list(signing.unsigned(table)))
    if not table.rows:
        return _row("losses", OPEN, "not known yet", "04_map lists them, in losses.csv")
    told = f"{len(table.rows) - n_left:,} of {len(table.rows):,} kinds of loss are signed"
    return _row("losses", OPEN if n_left else DONE, told, f"workbook sign {book.customer}" if n_left else "")


def _keys(book: Workbook) -> Row:
    rows = book.store.results("audit", "permissions")
    lacking = [f"{row['side']}: {row['permission']}" for row in rows if not row["ok"]]
    secret = [row for row in book.store.results("audit", "findings") if row["id"] == "confidential"]
    told = f"{len(rows) - len(lacking)} of {len(rows)} rights; {secret[0]['finding'] if secret else 'no audit yet'}"
    is_open = bool(lacking) or any(row["severity"] == "critical" for row in secret)
    return _row("keys and their permissions", OPEN if is_open else DONE, told, "; ".join(lacking[:5]))


# ---- how to move -----------------------------------------------------------------------------------------------------
def _strategies(book: Workbook, facts: dict[str, int]) -> list[Row]:
    """What each way would mean here: how long nobody may work in Lever."""
    minutes = _minutes(book)
    if not minutes:
        return [_row("strategy", OPEN, "no forecast yet", "run 01_audit")]
    whole, share = sum(minutes.values()), facts["active"] / max(1, facts["all"])
    calls = facts["lively"] * len(CHILDREN) + facts["all"] / 100  # what --reread asks: child lists, and one listing
    again = calls / (60 * book.params.lever.per_second)
    choice = "docs/route.md; no setting: it is the order in which the steps are run"
    return [
        _row("strategy: at once", DECIDE, f"Lever is closed for {_told(whole)}; one load, one proof", choice),
        _row(
            "strategy: in phases", DECIDE,
            f"active candidacies first (policy.scope.states): Lever is closed for about {_told(whole * share)}; the "
            f"archived {1 - share:.0%} follow while people work in Ashby", choice,
        ),
        _row(
            "strategy: step by step", DECIDE,
            f"{_told(whole)} while people work in Lever; then closed for about {_told(again)} (changes, and the child "
            f"lists of {facts['lively']:,} lively candidacies) and the load of what came", choice,
        ),
    ]  # fmt: skip


def _minutes(book: Workbook) -> dict[str, float]:
    rows = book.store.results("audit", "forecast")
    return {str(row["step"]): float(row["minutes"]) for row in rows if row.get("minutes") is not None}


def _told(minutes: float) -> str:
    """A length of time as people say it."""
    if minutes < 90:
        return f"{max(1, round(minutes))} minutes"
    return f"{minutes / 60:.1f} hours" if minutes < 36 * 60 else f"{minutes / 60 / 24:.1f} days"


def _timeline(book: Workbook) -> list[Row]:
    minutes, ledger = sum(_minutes(book).values()), Ledger(book.store)
    names = [name for _, some in TABLES for name in some]
    n_open = sum(len(book.table(name).open_rows()) for name in names)
    done, planned = sum(n for _, state, n in ledger.counts() if state == "done"), ledger.n_rows()
    hours = book.params.lever.reread_hours
    stale = (
        f"a load wants child lists no older than {hours:g} hours"
        if hours
        else "the age of child lists is not looked at"
    )
    return [
        _row(
            "timeline", DONE if planned and done == planned else OPEN,
            f"a rehearsal and the move take {_told(minutes)} of calls each; {n_open:,} open verdicts, about "
            f"{_told(n_open * SECONDS_A_VERDICT / 60)} at {SECONDS_A_VERDICT} seconds each; {done:,} of {planned:,} "
            "rows of the plan are in Ashby", "rehearse against the sandbox, or with --sample, before the move",
        ),
        _row(
            "parallel run", DECIDE, f"as long as steps 02 to 06 are run again, Ashby follows Lever; {stale}",
            "say until when Lever is used, then lever.closed: true",
        ),
    ]  # fmt: skip
