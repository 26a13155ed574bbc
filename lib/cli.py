"""The command line: `workbook <verb> <customer>`. A thin layer; every error ends as one clear message and a code."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from lib import batch, connecting, newcomer, params, plans, service, workbook
from lib.errors import ConfigError, StoreError, WorkbookError
from lib.store import Store
from lib.store.ledger import Ledger

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Move a company's recruiting history from Lever to Ashby, and prove that it arrived.",
)
plan_app = typer.Typer(no_args_is_help=True, help="Look at the plan.")
app.add_typer(plan_app, name="plan")
app.command()(connecting.connect)
out = Console(highlight=False)
Customer = Annotated[str, typer.Argument(help="the customer, as in params/<customer>.yaml")]


@app.command()
def new(
    customer: Customer,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="a made-up company on this machine, to learn on; needs no keys")
    ] = False,
) -> None:
    """Write the params file and the .env file of a new customer, with comments."""
    for line in newcomer.make(customer, sandbox=sandbox):
        out.print(line, soft_wrap=True, markup=False)


@app.command()
def run(
    customer: Customer,
    first: Annotated[str, typer.Option("--from", help="first step")] = "audit",
    last: Annotated[str, typer.Option("--to", help="last step")] = "validate",
    execute: Annotated[bool, typer.Option("--execute", help="write to Ashby; without it nothing is written")] = False,
    sample: Annotated[int, typer.Option("--sample", min=0, help="load only so many people (a rehearsal)")] = 0,
    reread: Annotated[
        bool, typer.Option("--reread", help="list all opportunities again, and the child lists of the lively ones")
    ] = False,
    reread_all: Annotated[
        bool, typer.Option("--reread-all", help="the same, and read the child lists of every candidacy again")
    ] = False,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="send again what Ashby has refused, once its cause is mended")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin anew (only with a throw-away target)")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="take over from a writer on another machine that you know to be dead")
    ] = False,
) -> None:
    """Run the notebooks headlessly, from one step to another, and make the report."""
    steps = batch.between(first, last)
    settings = params.load(customer)
    if fresh:
        _begin_anew(customer, settings)
    if (sample or not execute) and "load" in steps and "validate" in steps:
        steps.remove("validate")  # there is nothing, or not everything, to compare yet
    more: dict[str, dict[str, Any]] = {
        "extract": {"reread": reread, "reread_all": reread_all},
        "load": {"execute": execute, "sample": sample, "retry_refused": retry_refused},
    }
    began = time.monotonic()
    _open_once(customer, take_over=take_over)
    try:
        for step in steps:
            _tell_step(customer, step, {"customer": customer} | more.get(step, {}))
    finally:
        index = _report(customer, "masked")
    _summary(customer, time.monotonic() - began, index, steps, execute=execute, sample=sample)


def _open_once(customer: str, *, take_over: bool = False) -> None:
    """Say at once, before a kernel is started, when keys or settings are wrong or a service does not start."""
    book = workbook.open_customer(customer)
    try:
        if book.started_over:
            out.print(book.started_over)
        if book.params.service is not None:
            out.print(f"The local service of {customer} runs; end it with: workbook sandbox --stop {customer}")
        if take_over and (dead := book.store.depose()):
            out.print(f"Took over from {dead}.", soft_wrap=True)
            book.log("took over", step="run", from_=dead)
        if holder := book.store.holder():
            hint = "Wait for it, or end that process; if that machine is dead: --take-over."
            raise StoreError(f"Somebody is working on {customer}: {holder}.", hint=hint)
        _greet(book)
    finally:
        book.close()


def _greet(book: workbook.Workbook) -> None:
    """One quick call to each side; what is wrong with both is said at once."""
    errors = []
    for hello in (book.lever.hello, book.ashby.hello):
        try:
            hello()
        except WorkbookError as error:
            errors.append(error)
    if len(errors) > 1:
        raise type(errors[0])(f"{errors[0]} And: {errors[1].message}", hint=errors[1].hint)
    if errors:
        raise errors[0]


def _begin_anew(customer: str, settings: params.Params) -> None:
    if settings.service is None:
        raise ConfigError(
            f"--fresh is only for customers with a throw-away target; {customer!r} has none.",
            hint="What was written to a real Ashby cannot be taken back, so its ledger must not be thrown away.",
        )
    folder = workbook.folder_of(customer)
    service.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _watched(customer: str, step: str) -> Iterator[None]:
    """Show the progress of a step on one line while the block runs."""
    ended = threading.Event()
    with out.status(f"{step} …") as status:
        watcher = threading.Thread(
            target=batch.watch, args=(customer, status.update), kwargs={"stop": ended.is_set}, daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _tell_step(customer: str, step: str, given: dict[str, Any]) -> None:
    with _watched(customer, step):
        outcome = batch.run_step(customer, step, parameters=given)
    out.print(f"  {step:<9} {outcome.seconds:6.1f} s")


def _report(customer: str, level: str) -> Path | None:
    from lib.report.export import export  # noqa: PLC0415 - matplotlib and nbconvert are slow to import

    folder = workbook.folder_of(customer)
    if not any((folder / "notebooks").glob("*.ipynb")):
        return None
    return export(folder / "notebooks", folder / "reports", customer=customer, level=level)


def _summary(
    customer: str, seconds: float, index: Path | None, steps: list[str], *, execute: bool, sample: int
) -> None:
    with plans.stored(customer) as store:
        counts = _states(store)
        n_people, n_opportunities = store.n_people(), store.count("opportunities")
    out.print(f"\n{customer}: {n_people:,} people, {n_opportunities:,} opportunities")
    if counts:
        out.print("plan rows: " + ", ".join(f"{n:,} {state}" for state, n in sorted(counts.items())))
    if "validate" in steps:
        about = json.loads((workbook.folder_of(customer) / "reports" / "certificate.json").read_text("utf-8"))
        found = about["n_differences"]
        out.print("differences: " + ", ".join(f"{n:,} {name}" for name, n in found.items()))
    if "load" in steps and counts.get("refused"):
        run_it, again = f".venv/bin/workbook run {customer}", "--from load --execute --retry-refused"
        told = (
            f"If it lies in what was sent, `{run_it} --from map --to map` proposes in refusals.csv what to do without."
        )
        out.print(f"Ashby has refused rows: 05_load names them. {told}", soft_wrap=True)
        out.print(f"If it is mended in Ashby: {run_it} {again}", soft_wrap=True)
    out.print(_next(customer, steps[-1], execute=execute, sample=sample), soft_wrap=True)
    out.print(f"took {seconds:.0f} s")
    if index is not None:
        out.print(f"report: {index}", soft_wrap=True)
    if {"load", "validate"} & set(steps) and (counts.get("refused") or counts.get("parked")):
        raise typer.Exit(5)


def _next(customer: str, last: str, *, execute: bool, sample: int) -> str:
    """What to run next, word by word."""
    command = f".venv/bin/workbook run {customer}"
    if last == "validate":
        return "The move is loaded and compared; the certificate stands beside the report."
    if last == "load" and not execute:
        return f"Dry run: nothing was written to Ashby. To load: {command} --from load --execute"
    if last == "load" and sample:
        return f"Look at them in Ashby by their tag (policy.run_tag). The rest: {command} --from load --execute"
    following = workbook.STEPS[workbook.STEPS.index(last) + 1]
    return f"Next: {command} --from {following} --to {following}"


def _states(store: Store) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, state, n_rows in Ledger(store).counts():
        counts[state] += n_rows
    return counts


@app.command()
def recover(
    customer: Customer,
    anew: Annotated[bool, typer.Option("--anew", help="set a whole store aside, and make it anew")] = False,
    accept_empty: Annotated[
        bool, typer.Option("--accept-empty", help="Ashby holds nothing of this customer, and that is right")
    ] = False,
) -> None:
    """Make a lost or damaged store anew, from Lever and from the Lever ids in Ashby; nothing is written to Ashby."""
    from lib import recover as recovery  # noqa: PLC0415 - pandas is slow to import
    from lib import steps  # noqa: PLC0415

    settings = params.load(customer)
    if done := recovery.make_room(workbook.folder_of(customer), settings.store_url, anew=anew):
        out.print(done, soft_wrap=True)
    book = workbook.open_customer(customer)
    try:
        if steps.is_intact(book):
            out.print(f"The store of {customer} is whole: there is nothing to recover.")
            out.print("To make it anew all the same (the old one is set aside): --anew")
            return
        _greet(book)
        with _watched(customer, "recover"):
            found = steps.recover(book, accept_empty=accept_empty)
    finally:
        book.close()
    for line in found.lines():
        out.print(line, soft_wrap=True, markup=False)
    out.print(f"Next: .venv/bin/workbook run {customer} --from load --execute", soft_wrap=True)
    if found.report.ambiguous:
        raise typer.Exit(5)


@app.command()
def status(customer: Annotated[str, typer.Argument(help="one customer; all without a name")] = "") -> None:
    """Say how far each customer is, and who is working on it."""
    table = Table("customer", "opportunities", "people", "plan", "working now", box=None)
    broken = []
    for name in [customer] if customer else params.customers():
        params.load(name)
        try:
            table.add_row(name, *_status_of(name))
        except StoreError as error:
            table.add_row(name, "?", "?", "the store cannot be used", "")
            broken.append(error)
    out.print(table)
    for error in broken:
        print(f"StoreError: {error}", file=sys.stderr)
    if broken:
        raise typer.Exit(StoreError.exit_code)


def _status_of(customer: str) -> list[str]:
    folder = workbook.folder_of(customer)
    settings = params.load(customer)
    if not (folder / "store.db").is_file() and not settings.store_url:
        return ["-", "-", "not begun", ""]
    store = workbook.store_of(customer, settings)
    try:
        states = ", ".join(f"{n:,} {state}" for state, n in sorted(_states(store).items())) or "no plan"
        if (store.meta("recover") or {}).get("state") == "begun":
            states += f"; being recovered, go on with: workbook recover {customer}"
        return [f"{store.count('opportunities'):,}", f"{store.n_people():,}", states, store.holder()]
    finally:
        store.close()


@app.command()
def sign(
    customer: Customer,
    above: Annotated[float, typer.Option(min=0, max=1, help="only losses of at least this confidence")] = 0.0,
    any_number: Annotated[
        bool, typer.Option("--any", help="however many records it will be, not as many as now")
    ] = False,
) -> None:
    """Accept what the last 04_map has listed as losses: shows it, and fills the column verdict of losses.csv."""
    from lib.steps import signing  # noqa: PLC0415 - pandas is slow to import

    with plans.planned(customer) as ledger:
        signed, n_left = signing.sign(customer, ledger.store, above=above, any_number=any_number)
    table = Table("loss", "treatment", "where", "reason", "records", "signed for", box=None)
    for row in signed:
        table.add_row(*(row[name] for name in ("label", "treatment", "where", "reason", "n_records", "verdict")))
    out.print(table)
    out.print(f"Signed {len(signed):,} losses in params/{customer}/losses.csv; {n_left:,} are left.", soft_wrap=True)


@plan_app.command("show")
def plan_show(
    customer: Customer,
    person: Annotated[
        str | None, typer.Option(help="rows of one person (their Lever contact id); '' for set-up")
    ] = None,
    kind: Annotated[str, typer.Option(help="rows of one kind, e.g. application.create")] = "",
    bodies: Annotated[bool, typer.Option(help="with bodies (personal data)")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Show the plan: counts by endpoint and state, or the rows of one person or endpoint."""
    plans.show(customer, person=person, kind=kind, bodies=bodies, limit=limit)


@plan_app.command("diff")
def plan_diff(
    customer: Customer,
    other: Annotated[str, typer.Argument(help="another customer, e.g. of a later rehearsal")] = "",
    limit: Annotated[int, typer.Option(min=0, help="rows that are named one by one, with OTHER")] = 20,
) -> None:
    """Show what the last 04_map has changed in the plan, and why; or what distinguishes the plans of two customers."""
    plans.diff(customer, other, limit=limit)


@app.command()
def report(
    customer: Customer,
    level: Annotated[str, typer.Option(help="masked (may be shared) or internal")] = "masked",
) -> None:
    """Make the HTML report from the executed notebooks."""
    if level not in ("masked", "internal"):
        raise ConfigError(f"{level!r} is not a level.", hint="Use masked or internal.")
    params.load(customer)
    index = _report(customer, level)
    if index is None:
        raise ConfigError(f"{customer} has no executed notebook yet.", hint=f"Run: workbook run {customer}")
    out.print(str(index))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(
    context: typer.Context,
    stop: Annotated[bool, typer.Option("--stop", help="end the sandbox of a customer (default: demo)")] = False,
) -> None:
    """Run the sandbox in this terminal (--port, --people, --seed, --limits, --lag, --scenario, --json), or stop one."""
    if stop:
        customer = context.args[0] if context.args else "demo"
        params.params_path(customer)
        ended = service.stop(workbook.folder_of(customer))
        out.print("The sandbox has ended." if ended else "No sandbox was running.")
        return
    import subprocess  # noqa: PLC0415 - the sandbox is a program of its own, and shares no code with lib

    command = [sys.executable, "-m", "sandbox", *context.args]
    raise typer.Exit(subprocess.call(command, cwd=workbook.home_of_code()))  # noqa: S603 - our own arguments


def main() -> None:
    """Run the command line; a WorkbookError ends as one message on stderr and its exit code."""
    try:
        code = app(standalone_mode=False)
        if code == 130:  # how typer tells of Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except (typer.Abort, KeyboardInterrupt):
        print("Stopped. Everything done so far is kept; run the same command again to go on.", file=sys.stderr)
        sys.exit(130)
    except WorkbookError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # a mistyped command or option
            print(error.format_message(), file=sys.stderr)
            sys.exit(2)
        raise


if __name__ == "__main__":
    main()
