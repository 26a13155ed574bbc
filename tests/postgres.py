"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port of this machine, ended by its number.

Its default collation is a language's, not the bytes' (ICU en-US, where the build has it): what the workbook sorts must
not depend on that. Where there is no server, tests skip and say so; with WORKBOOK_REQUIRE_POSTGRES they fail.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

USER, PASSWORD = "workbook", "Pa55 of the/store@home"
UNPRIVILEGED = "postgres"  # the server refuses to run as root
ABSENT = "PostgreSQL's server is not installed"


@dataclass
class Server:
    """A running server; `pid` changes when it is started anew."""

    binaries: Path
    folder: Path
    port: int
    pid: int = 0

    @property
    def url(self) -> str:
        """The address without a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}"

    def fresh(self, *, template: str = "template1", encoding: str = "") -> str:
        """The address of a new database: empty, or like that of another address, to which nobody is connected."""
        name = f"t{uuid.uuid4().hex[:16]}"
        options = f" ENCODING '{encoding}' LOCALE_PROVIDER 'libc' LOCALE 'C' TEMPLATE template0" if encoding else ""
        source = f' TEMPLATE "{template.rpartition("/")[2]}"' if not encoding else ""
        self.tell(f'CREATE DATABASE "{name}"{source}{options}')
        return f"{self.url}/{name}"

    def tell(self, statement: str, *, database: str = "postgres") -> list[tuple]:
        """One statement by the server's own administrator; its rows."""
        known = {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD}
        with psycopg.connect(dbname=database.rpartition("/")[2], autocommit=True, **known) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self, *settings: str) -> None:
        """Start it and wait until it answers."""
        words = [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        for one in ("listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "max_connections=200"):
            words += ["-c", one]
        words += [word for one in settings for word in ("-c", one)]
        with (self.folder / "server.log").open("ab") as log:
            self.pid = subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **_other_user()).pid
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(psycopg.OperationalError):
                self.tell("SELECT 1")
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text()[-2000:])

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts all connections, SIGQUIT is as if it had crashed."""
        os.kill(self.pid, how)
        os.waitpid(self.pid, 0)
        self.pid = 0


def binaries() -> Path | None:
    """Where initdb and postgres are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name.split(".")[0]))
    return next((place for place in places if (place / "postgres").is_file()), None)


def _can_run() -> str:
    """Why there can be no server; empty when there can."""
    if binaries() is None:
        return ABSENT
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(UNPRIVILEGED)
        except KeyError:
            return f"{ABSENT}: it refuses to run as root, and there is no user {UNPRIVILEGED!r}"
    return ""


def needed() -> None:
    """Skip the test where there can be no server; fail where there must be one."""
    why = _can_run()
    if why and os.environ.get("WORKBOOK_REQUIRE_POSTGRES"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server for the length of the block."""
    place = binaries()
    assert place is not None
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="workbook-postgres-", dir=memory if os.access(memory, os.W_OK) else None))
    server = Server(place, folder, _free_port())
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if "user" in _other_user():
            for path in (folder, secret):
                shutil.chown(path, UNPRIVILEGED, UNPRIVILEGED)
        _init(server, secret)
        server.start()
        yield server
    finally:
        if server.pid:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _init(server: Server, secret: Path) -> None:
    words = [str(server.binaries / "initdb"), "-D", str(server.folder / "data"), "-U", USER, "-E", "UTF8", "-A"]
    words += ["scram-sha-256", "--pwfile", str(secret), "--no-sync", "--locale=C.UTF-8"]
    for more in (["--locale-provider=icu", "--icu-locale=en-US"], []):
        made = subprocess.run([*words, *more], check=False, capture_output=True, cwd="/", **_other_user())
        if made.returncode == 0:
            return
        shutil.rmtree(server.folder / "data", ignore_errors=True)
    raise AssertionError(made.stderr.decode()[-2000:])


def _other_user() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
