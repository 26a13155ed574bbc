"""``python -m bench.sandbox``: how many requests a second one sandbox answers on one core, by kind of request.

The server is pinned to one core and this load generator to another; limits are off. Counted are requests per second
of the server's own processor time, so that other work on the machine does not count against it; beside it stands what
came through by the clock. The aim is 1,500 for every kind. ``--opportunities`` measures a large company as well: its
start, its memory, its lists. Printed and kept in bench/README.md.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bench.table import Aim, keep, word

ROOT = Path(__file__).resolve().parents[1]
AIM = 1500
CONNECTIONS = 8
START_SECONDS = 60
MOST_KB = 3_000_000
HEADINGS = ("kind of request", "per s of the core", "of the aim", "per s by the clock", "MB/s", "reached")
EXPAND = "&expand=applications&expand=stage&expand=owner&expand=sourcedBy&expand=contact"
Json = dict[str, Any]


@dataclass
class Server:
    """A sandbox process pinned to one core."""

    about: Json
    seconds: float

    def kb(self, name: str) -> int:
        """A figure of ``/proc/<pid>/status``, in kB: VmHWM is the peak of memory."""
        for line in Path(f"/proc/{self.about['pid']}/status").read_text("utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise LookupError(name)

    @property
    def busy(self) -> float:
        """Seconds of processor time the server has used."""
        text = Path(f"/proc/{self.about['pid']}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(text[11]) + int(text[12])) / os.sysconf("SC_CLK_TCK")

    def counts(self) -> Json:
        """How much of what there is, as the control addresses say."""
        base = urlsplit(self.about["control_url"])
        request = _wire("GET", f"{base.path}/truth?counts=1", base.netloc, "", b"")
        answer: Json = json.loads(_once(request, self.about["control_url"]))["counts"]
        return answer

    def lever(self, path: str) -> Json:
        """One answer of the Lever side."""
        answer: Json = json.loads(_once(self.get(path), self.about["lever_url"]))
        return answer

    def ashby(self, endpoint: str, body: Json) -> Any:
        """The results of one call of the Ashby side."""
        found = json.loads(_once(self.post(endpoint, body), self.about["ashby_url"]))
        if found["success"] is not True:
            raise RuntimeError(f"{endpoint}: {found}")
        return found if "moreDataAvailable" in found else found["results"]

    def get(self, path: str) -> bytes:
        """A GET of the Lever side as it goes over the wire."""
        base = urlsplit(self.about["lever_url"])
        return _wire("GET", base.path + path, base.netloc, self.about["lever_key"], b"")

    def post(self, endpoint: str, body: Json) -> bytes:
        """A call of the Ashby side as it goes over the wire."""
        base = urlsplit(self.about["ashby_url"])
        return _wire("POST", f"{base.path}/{endpoint}", base.netloc, self.about["ashby_key"], json.dumps(body).encode())


def _once(request: bytes, url: str) -> bytes:
    """The body of the answer to one request, on a connection of its own."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as one:
        one.sendall(request)
        return read(one)


def read(one: socket.socket) -> bytes:
    """The body of the next answer; RuntimeError when it is no success."""
    data = one.recv(1 << 18)
    while b"\r\n\r\n" not in data:
        data += one.recv(1 << 18)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    if not head.startswith(b"HTTP/1.1 200") or body.startswith(b'{"success":false'):
        raise RuntimeError((head[:200] + body[:300]).decode("utf-8", "replace"))
    parts, missing = [body], length - len(body)
    while missing:
        parts.append(one.recv(min(1 << 20, missing)))
        missing -= len(parts[-1])
    return b"".join(parts)


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def _wire(method: str, path: str, host: str, key: str, body: bytes) -> bytes:
    head = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **_auth(key)}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@contextlib.contextmanager
def apart() -> Iterator[int]:
    """A core for the server, on which this process does not run for the length of the block."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("two cores are needed: one for the server, one for the load")
    os.sched_setaffinity(0, cores[1:])
    try:
        yield cores[0]
    finally:
        os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def serving(core: int, *words: str) -> Iterator[Server]:
    """A sandbox on one core for the length of the block."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "sandbox", "--limits", "off", "--json", *words]
    begun = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 - our own words
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 10 * START_SECONDS)
        line = process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError("the sandbox did not start")
        yield Server(json.loads(line), time.monotonic() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@dataclass
class Rate:
    """Requests per second of processor time and of the clock, and megabytes per second of the clock."""

    core: float
    clock: float
    megabytes: float


class Load:
    """A few connections that are kept busy: a request goes out on each before the answers are read."""

    def __init__(self, server: Server) -> None:
        """Connect."""
        self._server = server
        place = urlsplit(server.about["lever_url"])
        self._sockets = [socket.create_connection((place.hostname, place.port)) for _ in range(CONNECTIONS)]
        for one in self._sockets:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Load:
        """Use it in a ``with`` block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
        for one in self._sockets:
            one.close()

    def run(self, requests: Iterator[bytes], seconds: float) -> Rate:
        """Send for so long, or until there is no more to send; RuntimeError when an answer is no success."""
        done = size = 0
        begun, busy = time.monotonic(), self._server.busy
        while time.monotonic() - begun < seconds:
            sent = []
            for one, request in zip(self._sockets, requests, strict=False):
                one.sendall(request)
                sent.append(one)
            if not sent:
                break
            for one in sent:
                size += len(read(one))
                done += 1
        spent, used = time.monotonic() - begun, max(self._server.busy - busy, 0.01)
        return Rate(done / used, done / spent, size / spent / 1e6)


@dataclass
class Table:
    """Rows as they are measured; a large company is told of by its size."""

    rates: list[tuple[str, Rate]] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)

    @property
    def of_core(self) -> dict[str, float]:
        """Requests per second of the core, by kind of request."""
        return {what: rate.core for what, rate in self.rates}

    def row(self, what: str, rate: Rate) -> None:
        """One kind of request."""
        self.rates.append((what, rate))
        print(*_cells(what, rate), sep="  ", flush=True)

    def start(self, server: Server, opportunities: int) -> None:
        """Start and memory of a large company, whose lists were served."""
        peak = server.kb("VmHWM")
        what, ready = f"{opportunities:,} opportunities", server.seconds <= START_SECONDS
        self.aims += [
            Aim(f"sandbox: start of {what}", f"under {START_SECONDS} s", f"{server.seconds:.1f} s", ready),
            Aim(f"sandbox: memory of {what}", f"under {MOST_KB // 1000:,} MB", f"{peak / 1000:,.0f} MB",
                peak <= MOST_KB),
        ]  # fmt: skip

    def keep(self) -> None:
        """Print all of it, and keep it."""
        what, slowest = min(self.rates, key=lambda one: one[1].core)
        n_short = sum(rate.core < AIM for _, rate in self.rates)
        told = f"at least {slowest.core:,.0f}/s of the core ({what}); {n_short} of {len(self.rates)} kinds are below"
        every = Aim("sandbox: requests of every kind", f"at least {AIM:,}/s", told, not n_short)
        notes = f"One core for the server, another for the load; {CONNECTIONS} connections; limits off. " + " ".join(
            f"{one.figure.partition(': ')[2].capitalize()}: {one.measured} (aim: {one.aim})." for one in self.aims
        )
        rows = [_cells(what, rate) for what, rate in self.rates]
        keep("Sandbox", HEADINGS, rows, notes=notes, aims=[every, *self.aims])


def _cells(what: str, rate: Rate) -> tuple[str, ...]:
    return (
        what, f"{rate.core:,.0f}", f"{rate.core / AIM:.1f}", f"{rate.clock:,.0f}", f"{rate.megabytes:.1f}",
        word(rate.core >= AIM),
    )  # fmt: skip


def pages(server: Server, query: str, most: int) -> list[bytes]:
    """The requests of a walk over a list of the Lever side."""
    found, offset = [], ""
    while len(found) < most:
        path = f"/opportunities?limit=100&confidentiality=all{query}{offset}"
        found.append(server.get(path))
        token = server.lever(path).get("next")
        if token is None:
            break
        offset = f"&offset={quote(token, safe='')}"
    return found


def measure_lever(server: Server, table: Table, seconds: float, *, of: str = "") -> None:
    """Lists, single opportunities and child lists; `of` says in the table of how large a company."""
    kinds: list[tuple[str, Callable[[], list[bytes]]]] = [
        ("Lever opportunities, page of 100", lambda: pages(server, "", 60)),
        ("Lever opportunities, page of 100, five expanded", lambda: pages(server, EXPAND, 60)),
    ]
    rows = [row for number in range(4) for row in server.lever(f"/opportunities?limit=100&{_spread(number)}")["data"]]
    ids = [row["id"] for row in rows]
    kinds += [
        ("Lever opportunity", lambda: [server.get(f"/opportunities/{one}") for one in ids]),
        ("Lever opportunity, five expanded", lambda: [server.get(f"/opportunities/{one}?{EXPAND[1:]}") for one in ids]),
        ("Lever notes of an opportunity", lambda: [server.get(f"/opportunities/{one}/notes") for one in ids]),
        ("Lever feedback of an opportunity", lambda: [server.get(f"/opportunities/{one}/feedback") for one in ids]),
    ]
    for what, make in kinds:
        with Load(server) as load:
            table.row(f"{what}{of}", load.run(itertools.cycle(make()), seconds))


def _spread(number: int) -> str:
    """A query that gives other rows for each number."""
    return ("archived=false", "archived=true", "origin=sourced", "origin=referred")[number]


def measure_ashby(server: Server, table: Table, seconds: float, n_candidates: int) -> None:
    """Reads and writes with an organization of so many candidates."""
    load_candidates(server, n_candidates)
    listed = server.ashby("candidate.list", {"limit": 100})["results"]
    ids = [one["id"] for one in listed]
    job = next(one for one in server.ashby("job.list", {})["results"] if one["status"] == "Open")
    deep, cursor = [], None
    for number in range(max(1, n_candidates // 100 - 1)):
        body = {"limit": 100} | ({"cursor": cursor} if cursor else {})
        cursor = server.ashby("candidate.list", body).get("nextCursor")
        if cursor and number >= n_candidates // 100 - 40:
            deep.append({"limit": 100, "cursor": cursor})
    emails = [{"email": f"person{number * 7 % n_candidates}@load.example"} for number in range(1000)]
    names = [{"name": f"Load Person {number * 7 % n_candidates}"} for number in range(1000)]
    note = {"note": {"type": "text/html", "value": "<p>Spoke for <b>20 minutes</b>.</p>"}}
    reads: list[tuple[str, list[Json]]] = [
        ("candidate.info", [{"id": one} for one in ids]),
        ("candidate.search by email", [*emails]),
        ("candidate.search by name", [*names]),
        ("candidate.list first page of 100", [{"limit": 100}]),
        ("candidate.list last pages of 100", deep or [{"limit": 100}]),
        ("candidate.createNote", [{"candidateId": one, **note} for one in ids]),
        ("application.create", [{"candidateId": one, "jobId": job["id"]} for one in ids]),
        ("candidate.create", [{"name": "Somebody New", "email": "somebody@load.example"}]),
    ]
    for name, bodies in reads:
        endpoint = name.split()[0]
        requests = [server.post(endpoint, body) for body in bodies]
        with Load(server) as load:
            table.row(f"Ashby {name}, {n_candidates:,} candidates", load.run(itertools.cycle(requests), seconds))


def load_candidates(server: Server, n_candidates: int) -> None:
    """Write so many candidates, each with an address and a name of its own."""
    bodies = ({"name": f"Load Person {n}", "email": f"person{n}@load.example"} for n in range(n_candidates))
    with Load(server) as load:
        load.run((server.post("candidate.create", body) for body in bodies), 3600)


def main(argv: list[str] | None = None) -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opportunities", type=int, default=1_000_000, help="size of the large company, 0 for none")
    parser.add_argument("--candidates", type=int, default=100_000, help="candidates written to Ashby first")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each kind of request")
    options = parser.parse_args(argv)
    table = Table()
    with apart() as core:
        with serving(core, "--people", "1200") as server:
            measure_lever(server, table, options.seconds)
            measure_ashby(server, table, options.seconds, 100)
        if options.candidates:
            with serving(core, "--people", "40") as server:
                measure_ashby(server, table, options.seconds, options.candidates)
        if options.opportunities:
            with serving(core, "--opportunities", str(options.opportunities)) as server:
                measure_lever(server, table, options.seconds, of=f", of {options.opportunities:,}")
                table.start(server, options.opportunities)
    table.keep()


if __name__ == "__main__":
    main()
