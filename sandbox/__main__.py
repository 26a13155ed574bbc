"""``python -m sandbox``: start the server, print where it is, run until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import socket
import sys
import time
from dataclasses import asdict
from typing import Any

import uvicorn

from sandbox import choices
from sandbox import settings as configuration
from sandbox.app import Sandbox, create_app
from sandbox.company import shape
from sandbox.scenarios import scenarios
from sandbox.settings import Settings

HOST = "127.0.0.1"
"""The sandbox is reachable from this machine only."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free port")
    parser.add_argument("--host", choices=[HOST, "localhost"], default=HOST, help="this machine only")
    parser.add_argument("--people", type=int, default=320, help="how many human beings the company knows")
    parser.add_argument("--opportunities", type=int, default=0, help="a large company of so many instead of --people")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same company")
    parser.add_argument("--limits", default="real", help="real, off, or x20 for twenty times the vendors' limits")
    parser.add_argument("--lag", type=int, default=0, metavar="MS", help="added to every answer")
    parser.add_argument("--scenario", choices=sorted(scenarios()), default="calm", help="planted faults")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=VALUE", help="the answer to an open question; repeatable"
    )
    parser.add_argument(
        "--shape", action="append", default=[], metavar="NAME=NUMBER", help="so many times as much of it; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line once listening")
    parser.add_argument("--idle-hours", type=float, default=0.0, help="stop after so many hours without a request")
    options = parser.parse_args(argv)
    try:
        configuration.parse_limits(options.limits)
        options.switches = choices.read(options.switch)
        options.shape = shape.read(options.shape)
    except ValueError as error:
        parser.error(str(error))
    if options.people < 1:
        parser.error("--people must be at least 1")
    if options.opportunities < 0:
        parser.error("--opportunities must not be negative")
    rows = scenarios()[options.scenario].rows
    if options.opportunities and any(row["effect"] == "others" and row.get("api") != "ashby" for row in rows):
        parser.error(f"{options.scenario} edits records in Lever, which are made on demand with --opportunities")
    return options


def announcement(settings: Settings) -> dict[str, Any]:
    """Everything a client needs to know, keys included."""
    base = settings.lever_url.removesuffix("/lever/v1")
    return {
        "lever_url": settings.lever_url,
        "lever_key": settings.lever_key,
        "lever_key_plain": settings.lever_key_plain,
        "lever_oauth": settings.lever_oauth,
        "ashby_url": settings.ashby_url,
        "ashby_key": settings.ashby_key,
        "ashby_key_limited": settings.ashby_key_limited,
        "storage_url": settings.storage_url,
        "control_url": f"{base}/_sandbox",
        "instance": settings.instance,
        "pid": os.getpid(),
        "people": settings.people,
        "opportunities": settings.opportunities,
        "seed": settings.seed,
        "limits": settings.limits,
        "lag_ms": settings.lag_ms,
        "scenario": settings.scenario,
        "switches": dict(settings.switches),
        "shape": asdict(settings.shape),
        "env": {"LEVER_API_KEY": settings.lever_key, "ASHBY_API_KEY": settings.ashby_key},
    }


def announce(settings: Settings, *, as_json: bool) -> None:
    """Print where the sandbox is: one JSON line, or a few lines to read."""
    facts = announcement(settings)
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    scenario = scenarios()[settings.scenario]
    size = f"{settings.opportunities} opportunities" if settings.opportunities else f"{settings.people} people"
    print(f"The sandbox is listening: {size}, seed {settings.seed}, limits {settings.limits}.")
    for name in ("lever_url", "lever_key", "ashby_url", "ashby_key", "storage_url", "control_url"):
        print(f"  {name:12} {facts[name]}")
    print(f"  scenario     {settings.scenario}: {scenario.promise}")
    for name, value in sorted(settings.switches.items()):
        print(f"  switch       {name} = {value}")
    print("Stop it with Ctrl-C.", flush=True)


class Server(uvicorn.Server):
    """A uvicorn server that says when it listens and stops when nobody asks any more."""

    def __init__(self, config: uvicorn.Config, settings: Settings, *, as_json: bool, idle_hours: float) -> None:
        """Serve ``config.app``, which is a Sandbox."""
        super().__init__(config)
        self._settings = settings
        self._as_json = as_json
        self._idle_seconds = idle_hours * 3600
        self._watcher: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce the addresses once the sockets answer."""
        await super().startup(sockets=sockets)
        if self._idle_seconds:
            self._watcher = asyncio.create_task(self._watch())
        announce(self._settings, as_json=self._as_json)

    async def _watch(self) -> None:
        """Stop after a long silence."""
        app = self.config.app
        while isinstance(app, Sandbox) and time.monotonic() - app.last_request < self._idle_seconds:
            await asyncio.sleep(min(5.0, self._idle_seconds))
        self.should_exit = True


def main(argv: list[str] | None = None) -> int:
    """Run the sandbox; the exit code is 0 after an orderly stop."""
    options = arguments(argv)
    settings = configuration.make(
        seed=options.seed,
        people=options.people,
        opportunities=options.opportunities,
        limits=options.limits,
        lag_ms=options.lag,
        scenario=options.scenario,
        switches=options.switches,
        shape=options.shape,
    )
    try:
        listener, storage = _listener(options.port), _listener(0)
    except OSError as error:
        print(
            f"Port {options.port} cannot be used: {error.strerror}. Choose another one, or --port 0.", file=sys.stderr
        )
        return 2
    configuration.bind(settings, *(f"http://{HOST}:{one.getsockname()[1]}" for one in (listener, storage)))
    app = create_app(settings, on_stop=lambda: setattr(server, "should_exit", True))
    gc.freeze()  # the company lives as long as the process: the collector need not walk it again and again
    gc.set_threshold(20_000, 50, 100)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    server = Server(config, settings, as_json=options.json, idle_hours=options.idle_hours)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    server.run(sockets=[listener, storage])
    return 0


def _listener(port: int) -> socket.socket:
    """A socket on a port of this machine, 0 for a free one."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((HOST, port))
    return made


def _end(number: int, frame: object) -> None:
    """An orderly end: uvicorn has shut down and raises the signal again for whoever started it."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
