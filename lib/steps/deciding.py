"""Steps 3 and 4: who is who, what becomes what, and the plan that follows from it."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from lib import dedupe as people_finder
from lib import mapping
from lib.decisions import DecisionTable
from lib.errors import GateError
from lib.extract.aside import rows as unread_rows
from lib.normalize import csv_safe
from lib.steps import changing, fresh, learning, scoring, signing
from lib.steps.gates import files_gate, gone_gate, lists_gate, quiet_gate, unread_gate
from lib.steps.lost import check_known
from lib.steps.target import dedupe_policy, pair_verdicts, read_candidates, read_target
from lib.steps.writing import settle_open
from lib.store import compared
from lib.store.ledger import CHANGED, Ledger
from lib.store.reading import Reading
from lib.workbook import Workbook

Frame = pd.DataFrame


@dataclass(frozen=True)
class DedupeResult:
    """Who is who; `table` is people.csv with the pairs that wait for a verdict.

    `people` says of each person how it stands to Ashby (person, ashby_id, match, why); the whole rows are in the store.
    `weights` is what the model learned (level, weight in bits, learned), `queue` how many pairs wait from which
    probability on, `blocks` what people were compared by, and `apart` who shares an address and is not asked about.
    """

    people: Frame
    members: Frame
    pairs: Frame
    conflicts: Frame
    contacts: Frame
    table: DecisionTable
    weights: Frame
    queue: Frame
    blocks: Frame
    apart: Frame


@dataclass(frozen=True)
class MapResult:
    """What will be written: decisions, losses, rows of the plan by kind, its hash, and how many calls it means.

    `forecast` has a row for the load and one for the validation of this plan, `endpoints` one per endpoint. `changes`
    says what distinguishes the plan from the one before it, `causes` why; both are empty for the first one.
    `signatures` is losses.csv, in which somebody signs the loss list.
    """

    tables: dict[str, DecisionTable]
    decisions: Any
    losses: Frame
    plan: Frame
    plan_hash: str
    calls: int
    forecast: Frame
    endpoints: Frame
    changes: Frame
    causes: Frame
    signatures: DecisionTable


def dedupe(book: Workbook) -> DedupeResult:
    """Decide who is the same person, in Lever and against the people whom Ashby has already."""
    with book.writing("dedupe"):
        settle_open(book)
        book.progress("dedupe")(0, None, "reading the people in Ashby")
        read_candidates(book)
        check_known(book)
        contacts = people_finder.contacts_table(book.store.all("opportunities"), now_ms=_as_of(book))
        existing = people_finder.existing_table(Reading(book.store).standing("candidates"))
        table = book.table("people")
        if wrong := _wrong(table):
            raise GateError(f"{'; '.join(wrong[:20])}.", hint="Mend the verdicts and run the step again.")
        verdicts = pair_verdicts(table)
        standing = _standing(book)
        about: dict[str, Any] = {"verdicts": verdicts, "policy": dedupe_policy(book), "standing": standing}
        found = people_finder.dedupe(contacts, existing=existing, learns=True, **about)
        pairs = list(_rows(found.pairs))
        table = _in_their_order(table, {f"{pair['a']}|{pair['b']}" for pair in pairs})
        pairs = _as_decided(pairs, table, _made(standing))
        table = table.merge(_pair_proposals(pairs))
        table.write()
        lost: list[dict[str, Any]] = []
        book.store.put_people(_people(found, lost), _rows(found.members[["contact", "person", "why"]]), pairs)
        conflicts = pd.DataFrame(lost, columns=["person", "field", "kept", "others"])
        book.store.put_meta("dedupe.verdicts", _in_words(verdicts))
        model = _model(found)
        kept = {"conflicts": conflicts, "blocks": found.blocks, "matches": found.matches}
        kept["apart"] = _with_earlier(found.apart, book.store.results("dedupe", "apart"), standing)
        for name, rows in (kept | {one: model[one] for one in ("weights", "queue")}).items():
            book.store.put_results("dedupe", name, _rows(rows))
    return DedupeResult(found.matches, found.members, found.pairs, conflicts, contacts, table, **model)


def _with_earlier(apart: Frame, earlier: list[dict[str, Any]], standing: people_finder.Standing) -> Frame:
    """Pairs that are too unlike, with those of people whom a load has made since: they are not compared again.

    The validation would ask of them whether they are one.
    """
    made = _made(standing)
    there = set(zip(apart["a"], apart["b"], strict=True))
    more = [row for row in earlier if row["kind"] == "ashby" and row["a"] in made and (row["a"], row["b"]) not in there]
    return pd.concat([apart, pd.DataFrame(more, columns=apart.columns)], ignore_index=True) if more else apart


def _made(standing: people_finder.Standing) -> set[str]:
    """The contacts, and the ids, of people whom a load has made."""
    made = {person for person, candidate in standing.candidate_of.items() if candidate == ""}
    return made | {contact for contact, person in standing.person_of.items() if person in made}


def _as_decided(pairs: list[dict[str, Any]], table: DecisionTable, made: set[str]) -> list[dict[str, Any]]:
    """The pairs; a decided one of somebody whom a load has made since says what it said when it was decided.

    The model would judge it among fewer questions, and beside the candidates that the load has made.
    """
    decided = {row["id"]: row for row in table.rows if row["verdict"]}
    return [
        pair | _before(decided.get(f"{pair['a']}|{pair['b']}", {}))
        if pair["kind"] == "ashby" and pair["a"] in made
        else pair
        for pair in pairs
    ]


def _before(row: Mapping[str, str]) -> dict[str, Any]:
    """What a decided row says of its pair; nothing if it was written by hand."""
    try:
        sure = float(row["confidence"])
    except (KeyError, ValueError):
        return {}
    return {"score": sure if row.get("proposal") == "same" else 1 - sure, "reasons": row.get("reason", "")}


def _model(found: people_finder.Result) -> dict[str, Frame]:
    """The tables on how pairs were found and judged; `blocks` without the values, which are personal data."""
    sums = {"value": "count", "n_people": "max", "n_pairs": "sum", "n_compared": "sum"}
    blocks = found.blocks.groupby(["kind", "reason"], as_index=False).agg(sums)
    blocks = blocks.rename(columns={"kind": "compared_by", "value": "n_values", "n_people": "n_people_at_most"})
    weights = found.opinion.likeness.weights if found.opinion else pd.DataFrame()
    return {"weights": weights, "queue": found.queue, "blocks": blocks, "apart": found.apart}


def _people(found: people_finder.Result, lost: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of people, one after the other; what was not kept in its own place is added to `lost`."""
    for person, conflicts in found.survivors():
        lost.extend(conflicts)
        yield person


def _rows(table: Frame) -> Iterator[dict[str, Any]]:
    """The rows of a table, one after the other: all at once as dicts would not fit for a million people."""
    columns = [table[name].tolist() for name in table.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(table.columns, values, strict=True))


def _standing(book: Workbook) -> people_finder.Standing:
    """The people whom earlier loads have written, by the ledger."""
    links = [row for row in Ledger(book.store).link_rows() if row["ashby_type"] == "candidate"]
    return people_finder.Standing(
        person_of={row["contact"]: row["person"] for row in book.store.members()},
        candidate_of={
            row["link"].partition(":")[2]: row["ashby_id"] if row["origin"] == "existing" else "" for row in links
        },
    )


def _in_words(verdicts: dict[tuple[str, str], str]) -> list[str]:
    """Verdicts as they are compared with those of another time, in whichever order a pair is written."""
    return sorted(f"{'|'.join(sorted(pair))}={verdict}" for pair, verdict in verdicts.items())


def _wrong(table: DecisionTable) -> list[str]:
    """File and line of each verdict that is neither 'same' nor 'different'."""
    return [
        f"{table.where(line)}: {row['verdict']!r} is neither 'same' nor 'different'"
        for line, row in table.numbered()
        if row["verdict"] and row["verdict"].lower() not in ("same", "different")
    ]


def _in_their_order(table: DecisionTable, proposed: set[str]) -> DecisionTable:
    """The table with each pair named as it is proposed: somebody may have written its ids the other way round."""
    turned = {row["id"]: "|".join(reversed(row["id"].split("|"))) for row in table.rows}
    known = {row["id"] for row in table.rows}
    names = {one: other for one, other in turned.items() if other in proposed and other not in known}
    return replace(table, rows=[row | {"id": names.get(row["id"], row["id"])} for row in table.rows])


def _pair_proposals(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of people.csv: ids, and how sure the proposal is; who they are is shown in the notebook alone."""
    rows = []
    for pair in sorted(pairs, key=lambda one: (-round(float(one["score"]), 2), one["a"], one["b"])):
        chance = float(pair["score"])
        rows.append(
            {
                "id": f"{pair['a']}|{pair['b']}",
                "label": pair["kind"],
                "proposal": "same" if chance >= people_finder.SAME_FROM else "different",
                "reason": pair["reasons"],
                "confidence": f"{max(chance, 1 - chance):.2f}",
                "n_records": 1,
            }
        )
    return rows


def people_gate(book: Workbook) -> None:
    """GateError with file and line of every pair that waits for a verdict, or when 03_dedupe has not seen them all."""
    found, hint = _people_open(book)
    if found:
        more = f"; and {len(found) - 20} more" if len(found) > 20 else ""
        raise GateError(f"People are not decided: {'; '.join(found[:20])}{more}.", hint=hint)


def _people_open(book: Workbook) -> tuple[list[str], str]:
    """(file and line of each pair that waits for a verdict, or that its verdicts are newer than 03_dedupe; what to do).

    GateError when 03_dedupe has never run.
    """
    table, used = book.table("people"), book.store.meta("dedupe.verdicts")
    if used is None:
        raise GateError("The people are not known yet.", hint="Run 03_dedupe first.")
    again = f"run 03_dedupe again: workbook run {book.customer} --from dedupe --to map"
    found = _wrong(table) + [f"{table.where(line)}: no verdict" for line, row in table.open_rows()]
    if found:
        return found, (f"Of pairs, write 'same' or 'different' (who they are is shown in 03_dedupe), then {again}")
    if used != _in_words(pair_verdicts(table)):
        return [f"{table.where(1)}: its verdicts have changed since 03_dedupe last ran"], f"To use them, {again}"
    return [], ""


def _as_of(book: Workbook) -> int:
    """The moment at which consent and age are judged: Lever's clock at the last reading, not ours."""
    return int(book.store.meta("extract.since") or 0)


def propose(book: Workbook, *, found: mapping.Scan | None = None) -> dict[str, DecisionTable]:
    """The decision tables with fresh proposals and the verdicts given so far, written to the params folder."""
    reader = Reading(book.store)
    given = {file.stem: _as_named(book.table(file.stem)) for file in book.params_folder.glob("*.csv")}
    proposals = mapping.propose(reader, policy=book.params.policy, tables=given, now_ms=_as_of(book), found=found)
    proposals["refusals"] = learning.refused(book, Ledger(book.store))
    learning.reopen(book.table("refusals"), proposals["refusals"])
    tables = {name: _as_named(book.table(name)).merge(rows) for name, rows in proposals.items()}
    if not tables["refusals"].rows:  # nothing was refused so far: no table for it
        del tables["refusals"]
    for table in tables.values():
        table.write()
    return tables


def _as_named(table: DecisionTable) -> DecisionTable:
    """The table with each text by the id that it has now: verdicts for "3-4" were kept under the text itself once."""
    if table.name not in ("tags", "sources"):
        return table
    known = {row["id"] for row in table.rows}
    named = ((row, mapping.row_id(row["id"])) for row in table.rows)
    return replace(table, rows=[row | {"id": new} for row, new in named if new == row["id"] or new not in known])


def map(book: Workbook) -> MapResult:
    """Compile the plan: every Ashby call with its body, before the first one is made."""
    if not book.store.meta("extract.finished_ms"):
        raise GateError("Lever is not extracted yet.", hint="Run 02_extract first.")
    book.tables()  # what cannot be read in any of them is told at once
    files_gate(book)
    gone_gate(book)
    unread_gate(book)
    quiet_gate(book)
    lists_gate(book)
    people = _people_open(book)
    with contextlib.ExitStack() as draft_of, book.writing("map"):
        settle_open(book)
        read_target(book)
        reader, ledger, losses = Reading(book.store), Ledger(book.store), mapping.Losses()
        about: dict[str, Any] = {"policy": book.params.policy, "now_ms": _as_of(book)}
        found = mapping.scanned(reader, **about)
        tables = propose(book, found=found)
        decisions = mapping.decide(tables, reader, found=found, people=people, **about)
        draft = draft_of.enter_context(mapping.Draft(book.folder))
        more = {"carried": _Carried(ledger)} if ledger.last_ms() else {}
        draft.take(mapping.compile_plan(reader, decisions=decisions, losses=losses, **about, **more))
        inputs, this = changing.inputs_of(book, tables), {"plan_hash": draft.plan_hash}
        _lose_unread(book, losses)
        changing.compare(book, draft.rows(), inputs=inputs, **this)
        learning.try_again(decisions.lessons, ledger)
        signing.keep(book.store, losses.rows(), plan_hash=draft.plan_hash)
        ledger.put_plan(draft.rows(), **this)
        changing.remember(book, inputs, **this)
        fresh.remember(book)
        steps, endpoints = scoring.plan_forecast(book)
        _write_losses(book, losses.rows())
        signatures = signing.table_of(book.customer, book.store)
        if signing.is_signed(book):
            signatures.write()
    plan = pd.DataFrame(sorted(draft.kinds.items()), columns=["kind", "n_rows"])
    calls = steps[0]["n_requests"]
    _, changes, causes = compared.told(book.store)
    told: dict[str, Any] = {"forecast": pd.DataFrame(steps), "endpoints": pd.DataFrame(endpoints)}
    told["changes"] = pd.DataFrame(changes, columns=compared.COLUMNS)
    told["causes"] = pd.DataFrame(causes, columns=compared.WHY)
    told["signatures"] = signatures
    return MapResult(tables, decisions, pd.DataFrame(losses.rows()), plan, draft.plan_hash, calls, **told)


def _lose_unread(book: Workbook, losses: mapping.Losses) -> None:
    """Name what Lever could not give: it does not move, or as it was before, and somebody has accepted it."""
    for row in unread_rows(book.store):
        stream, lever_id = row["stream"], row["lever_id"]
        if stream == "opportunities":
            what, how, why = "opportunity", "moved changed", "Lever could not give it again: as it was read before"
        elif stream != "postings":
            what, how, why = f"list of {stream}", "never", "Lever could not give this list"
        elif book.store.get(stream, lever_id) is None:
            what, how, why = "posting", "never", "Lever could not give it: its candidacies move as without posting"
        else:
            what, how, why = "posting", "moved changed", "Lever could not give it again: as it was read before"
        losses.add(what, "(not read)", lever_id=lever_id, treatment=how, reason=why)


@dataclass(frozen=True)
class _Carried:
    """What earlier loads have carried out, by the ledger and the plan in force."""

    ledger: Ledger

    def of(self, person: str) -> dict[str, dict[str, Any]]:
        """{row id: body} of a person's rows of the plan in force that were carried out as they stand there."""
        rows = list(self.ledger.rows(person))
        entries = self.ledger.of(rows)
        done = {key: entry.body_hash for key, entry in entries.items() if entry.state == "done"}
        return {row.row_id: row.body for row in rows if done.get(row.row_id) == row.body_hash}

    def stands(self, row_id: str) -> bool:
        """Whether a row was carried out, for whomever."""
        entry = self.ledger.entry(row_id)
        return entry is not None and (entry.state == "done" or entry.code == CHANGED)


def _write_losses(book: Workbook, rows: list[dict[str, Any]]) -> None:
    """The whole loss list as CSV beside the report, to be read: ids and counts only."""
    columns = ("lever_type", "field", "treatment", "n_records", "where", "reason")
    file = book.private_file("reports/losses.csv")
    with file as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([csv_safe(row.get(name, "")) for name in columns] for row in rows)
