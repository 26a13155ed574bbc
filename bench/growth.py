"""How time and memory of map, load and validate grow with the number of opportunities (P26).

    python bench/growth.py [--sizes 1000,10000,100000] [--template 300] [--steps map,resume,load,validate] [--keep DIR]

A small company is read from the sandbox and decided as tests do; its lives are then told again, under other ids, names
and addresses, until a store holds as many opportunities as wanted. Each step runs in a process of its own. `resume` is
what happens before the first send of a load whose first half is done; `load` sends `--rows` further rows, without
limits, to the sandbox; `validate` compares with an Ashby that is told from the plan, in process, without a network. A
ratio is the growth from the size before divided by that of n log n: 1.0 is n log n, less is better.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import CUSTOMER, Sandbox, environment, prepare, running_sandbox, write_customer  # noqa: E402

from bench.told_ashby import ToldAshby, finish  # noqa: E402
from lib import workbook  # noqa: E402
from lib.store import Store, open_store  # noqa: E402

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAIL = re.compile(r"([\w.+-]+)@([\w.-]+)")
CHILDREN = ("notes", "feedback", "forms", "resumes", "files", "offers", "interviews", "panels", "referrals")
SHARED = (
    "users", "stages", "disposition_stages", "archive_reasons", "sources", "tags", "postings", "postings_deleted",
    "requisitions", "requisition_fields", "feedback_templates", "form_templates",
)  # fmt: skip
STEPS = ("map", "load", "resume", "validate")
MOST_MB = 512
Json = dict[str, Any]


class Template:
    """The small company, and how its lives are told again."""

    def __init__(self, store: Store) -> None:
        """Read everything."""
        self.shared = {stream: list(store.all(stream)) for stream in SHARED}
        self.lives = [(item, {name: store.of(name, item["id"]) for name in CHILDREN})
                      for item in store.all("opportunities")]  # fmt: skip
        self.own = {str(one["id"]) for item, found in self.lives for one in _records(item, found)}
        self.files = {row.lever_id: row for row in store.files()}
        self.people, self.members = list(store.people()), list(store.members())

    def moved(self, value: Any, block: int) -> Any:
        """A value of the template as it is in a block: other ids and addresses."""
        if not block:
            return value
        text = UUID.sub(lambda found: self._id(found[0], block), json.dumps(value))
        return json.loads(MAIL.sub(rf"\1.{block}@\2", text))

    def _id(self, text: str, block: int) -> str:
        return text if text not in self.own else f"{int(text[:8], 16) ^ block:08x}{text[8:]}"

    def named(self, item: Json, block: int) -> Json:
        """A person or opportunity under another name."""
        if block and item.get("name"):
            item["name"] = f"{item['name']} {block}"
        return item


def _records(item: Json, children: dict[str, list[Json]]) -> Iterator[Json]:
    """Everything with an id that belongs to one opportunity."""
    yield item
    yield {"id": _contact_id(item)}
    yield from (one if isinstance(one, dict) else {"id": one} for one in item.get("applications") or [])
    for found in children.values():
        yield from found


TARGET = ("users", "archive_reasons", "sources", "departments", "locations", "jobs", "interview_plans",
          "feedback_forms", "custom_fields", "tags", "candidates")  # fmt: skip


def fill(home: Path, template_home: Path, n_opportunities: int) -> int:
    """A store with so many opportunities (whole blocks), beside the params of the template; returns how many."""
    shutil.copytree(template_home / "params", home / "params", dirs_exist_ok=True)
    old, folder = open_store(template_home / "runs" / CUSTOMER), home / "runs" / CUSTOMER
    template, new = Template(old), open_store(folder)
    _copy_files(template_home / "runs" / CUSTOMER / "files", folder / "files")
    with new.begin() as tx:
        for stream, items in template.shared.items():
            new.put_raw(tx, stream, ((str(one.get("id") or one.get("text") or n), "", one)
                                     for n, one in enumerate(items)))  # fmt: skip
        for kind in TARGET:
            new.put_ashby(tx, kind, ((one["id"], one) for one in old.ashby(kind)), whole=True)
        for key in ("extract.finished_ms", "extract.since", "dedupe.verdicts", "identity.Ashby", "identity.Lever",
                    "ashby.candidates"):  # fmt: skip
            new.put_meta(key, old.meta(key), connection=tx)
    blocks = max(1, round(n_opportunities / len(template.lives)))
    for block in range(blocks):
        _fill_block(new, template, block)
    people = (template.named(template.moved(one, block), block) for block in range(blocks) for one in template.people)
    members = (template.moved(one, block) for block in range(blocks) for one in template.members)
    _put_people(new, people, members)
    old.close()
    new.close()
    return blocks * len(template.lives)


def _put_people(store: Store, people: Iterator[Json], members: Iterator[Json]) -> None:
    store.put_people(list(people), list(members), [])


def _copy_files(source: Path, target: Path) -> None:
    for path in source.iterdir():
        (target / path.name).exists() or os.link(path, target / path.name)


def _fill_block(store: Store, template: Template, block: int) -> None:
    """One block in one transaction."""
    streams: dict[str, list[tuple[str, str, Any]]] = {}
    for life in template.lives:
        item, children = template.moved(life, block)
        item = template.named(item, block)
        contact = item["contact"]
        if isinstance(contact, dict):
            template.named(contact, block)
        streams.setdefault("opportunities", []).append((item["id"], _contact_id(item), item))
        for name, found in children.items():
            streams.setdefault(name, []).extend((one["id"], item["id"], one) for one in found)
    with store.begin() as tx:
        for name, rows in streams.items():
            store.put_raw(tx, name, rows)
        for lever_id, row in template.files.items():
            moved = UUID.sub(lambda found: template._id(found[0], block), lever_id) if block else lever_id
            store.put_file(tx, replace(row, lever_id=moved))


def _contact_id(item: Json) -> str:
    contact = item["contact"]
    return contact["id"] if isinstance(contact, dict) else contact


# ---- the steps, each in a process of its own -------------------------------------------------------------------------
class FirstSendError(Exception):
    """The moment at which a resumed load would send its first row, or has sent enough."""


def child(step: str, n_rows: int) -> Json:
    """Run one step of the customer in $WORKBOOK_HOME; what it cost."""
    from lib import steps  # noqa: PLC0415

    book = workbook.open_customer(CUSTOMER)
    before, about = _mb("VmRSS"), {}
    begun, used = time.monotonic(), time.process_time()
    if step == "map":
        result = steps.map(book)
        about = {"n_rows": int(result.plan["n_rows"].sum()), "hash": result.plan_hash[:12]}
    elif step in ("resume", "load"):
        about = _load(book, 0 if step == "resume" else n_rows)
    elif step == "validate":
        about = _validate(book)
    spent, cpu = time.monotonic() - begun, time.process_time() - used
    book.close()
    return about | {"seconds": spent, "cpu": cpu, "mb": _mb("VmHWM"), "mb_before": before}


def _load(book: workbook.Workbook, n_rows: int) -> Json:
    from lib import steps  # noqa: PLC0415

    sent: list[float] = []

    def moment(name: str, row: Any) -> None:
        if name == "before intend":
            if len(sent) >= n_rows:
                raise FirstSendError
            sent.append(time.monotonic())

    with contextlib.suppress(FirstSendError):
        steps.load(book, execute=True, fail_at=moment)
    return {"n_rows": len(sent), "per_second": len(sent) / (sent[-1] - sent[0]) if len(sent) > 1 else None}


def _validate(book: workbook.Workbook) -> Json:
    from lib import validate  # noqa: PLC0415

    result = validate.run(book.store, ToldAshby(book.store), seed="growth", workers=1, sample_share=0.0,  # type: ignore[arg-type]
                          sample_min=1)  # fmt: skip
    return {"n_rows": int(result.fidelity["n_expected"].sum()), "differences": len(result.differences)}


def _mb(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def measured(step: str, home: Path, sandbox: Sandbox, n_rows: int) -> Json:
    """One step in a process of its own."""
    with environment(home, sandbox):
        command = [sys.executable, __file__, "--child", step, "--rows", str(n_rows)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)  # noqa: S603
    if done.returncode:
        return {"failed": done.returncode}
    return json.loads(done.stdout.splitlines()[-1])


def _growth(rows: list[tuple[int, Json]], read: Callable[[Json], float]) -> float | None:
    if len(rows) < 2 or "failed" in rows[-1][1] or "failed" in rows[-2][1]:
        return None
    (n, one), (m, two) = rows[-2:]
    return (read(two) / max(read(one), 1e-9)) / (m * math.log(m) / (n * math.log(n)))


def report(size: int, step: str, found: Json, ratio: float | None) -> None:
    """One line of the table."""
    if "failed" in found:
        print(f"{size:>10,} {step:9} FAILED ({found['failed']})", flush=True)
        return
    more = "" if ratio is None else f"{ratio:5.2f} x n log n"
    pace = f"{found['per_second']:,.0f} rows/s" if found.get("per_second") else ""
    other = " ".join(f"{name} {found[name]}" for name in ("hash", "differences") if name in found)
    over = "" if found["mb"] <= MOST_MB else f"  OVER {MOST_MB} MB"
    print(
        f"{size:>10,} {step:9} {found['n_rows']:>10,} {found['seconds']:9.1f} {found['cpu']:9.1f} {found['mb']:8.0f} "
        f"(+{found['mb'] - found['mb_before']:.0f})  {more} {pace} {other}{over}",
        flush=True,
    )


def run(args: argparse.Namespace, folder: Path) -> None:
    """Fill and measure all sizes."""
    history: dict[str, list[tuple[int, Json]]] = {}
    with running_sandbox(people=args.template, seed=11) as sandbox:
        home = folder / "template"
        write_customer(home, sandbox, ashby={"workers": 8}, lever={"workers": 2})
        if not (home / "runs").exists():
            with environment(home, sandbox):
                book = workbook.open_customer(CUSTOMER)
                prepare(book, sandbox)
                book.close()
        print(f"{'n':>10} {'step':9} {'rows':>10} {'wall s':>9} {'cpu s':>9} {'peak MB':>8}", flush=True)
        for size in args.sizes:
            sandbox.reset()
            one = folder / f"n{size}"
            begun = time.monotonic()
            n = fill(one, home, size) if not one.exists() else size
            write_customer(one, sandbox, ashby={"workers": 8}, lever={"workers": 2})
            print(f"{n:>10,} filled in {time.monotonic() - begun:.0f} s", flush=True)
            for step in args.steps:
                if step in ("resume", "validate"):
                    with environment(one, sandbox):
                        store = open_store(one / "runs" / CUSTOMER)
                        finish(store, 0.5 if step == "resume" else 1.0)
                        store.close()
                found = measured(step, one, sandbox, args.rows)
                rows = history.setdefault(step, [])
                rows.append((n, found))
                report(n, step, found, None if step == "load" else _growth(rows, lambda one: one["cpu"]))
            if not args.keep:
                shutil.rmtree(one)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=lambda text: [int(one) for one in text.split(",")], default=[1000, 10000, 100000]
    )
    parser.add_argument("--steps", type=lambda text: text.split(","), default=list(STEPS))
    parser.add_argument("--template", type=int, default=300, help="people of the company that is told again")
    parser.add_argument("--rows", type=int, default=2000, help="rows that `load` sends")
    parser.add_argument("--keep", type=Path, help="keep the stores in this folder, and use them again")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child, args.rows)))
    elif args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        run(args, args.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(args, Path(folder))


if __name__ == "__main__":
    main()
