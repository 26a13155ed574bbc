"""A local service that belongs to a customer: started when it is needed, lives on until it is stopped.

The params file names a command. It must print one JSON line when it is ready (`lever_url`, `ashby_url`,
`storage_url`, `control_url`, `instance`, `pid`, `env` with the keys) and then run until it is told to stop.
Nothing here knows what the service is.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import ConfigError, UnavailableError
from lib.transport import ping

READY_WITHIN = 60.0  # seconds
ANSWERS_WITHIN = 30.0  # seconds: a busy service is not a dead one, and starting it anew would lose what it holds


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers: its addresses, its keys (`env`), and the instance it was started as."""

    about: dict[str, Any]

    @property
    def instance(self) -> str:
        """A new value each time the service is started: what was written to an earlier one is gone."""
        return str(self.about.get("instance", ""))

    @property
    def env(self) -> dict[str, str]:
        """Keys by name, as an environment would hold them."""
        return {str(name): str(value) for name, value in (self.about.get("env") or {}).items()}

    @property
    def oauth(self) -> dict[str, str]:
        """`client_id`, `client_secret`, `refresh_token`, `token_url`, `authorize_url`, where it plays Lever's OAuth."""
        return {str(name): str(value) for name, value in (self.about.get("lever_oauth") or {}).items()}

    def url(self, name: str) -> str:
        """One of its addresses, e.g. `lever_url`."""
        return str(self.about.get(name, ""))


def running(folder: Path, *, patience: float = ANSWERS_WITHIN) -> Running | None:
    """The service of the customer with this folder; None when it is gone.

    UnavailableError when it is there and does not answer within `patience` seconds.
    """
    about = _noted(folder)
    try:
        answer = ping(f"{about['control_url']}/health", seconds=patience)
    except (KeyError, ConfigError):
        return None  # no note, a damaged one, or one that names no address of this machine
    except UnavailableError as error:
        raise UnavailableError(
            f"The local service of {folder.name} (process {about.get('pid')}) does not answer. {error.message}",
            hint="It was not started anew: what was written to it would be gone. Try again; if it hangs, end it with "
            "`workbook sandbox --stop` (or by its process id).",
        ) from None
    return Running(about) if answer and answer.get("instance") == about.get("instance") else None


def _noted(folder: Path) -> dict[str, Any]:
    """What service.json says; {} where there is none, or a damaged one."""
    try:
        about = json.loads((folder / "service.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def ensure(folder: Path, command: list[str], *, cwd: Path, patience: float = ANSWERS_WITHIN) -> Running:
    """The service, started if it is not there. Two callers at once start it only once."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        return running(folder, patience=patience) or _start(folder, command, cwd)


def stop(folder: Path, *, patience: float = ANSWERS_WITHIN) -> bool:
    """End the service; True when there was one. It is asked first, and ended by its process id if it does not go."""
    about = _noted(folder)
    try:
        if running(folder, patience=patience) is None:
            return False
    except UnavailableError:  # it hangs: it goes all the same, if the process is the one we started
        if not _leads_a_session(int(about["pid"])):
            raise
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(about["pid"]), number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if _is_gone(folder):
                (folder / "service.json").unlink(missing_ok=True)
                return True
            time.sleep(0.05)
    return False


def _is_gone(folder: Path) -> bool:
    try:
        return running(folder, patience=0.5) is None
    except UnavailableError:
        return False


def _leads_a_session(pid: int) -> bool:
    """True for a process as `_start` makes them; a number that was given to another one is mostly not such."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def _start(folder: Path, command: list[str], cwd: Path) -> Running:
    filled = [sys.executable if word == "{python}" else word for word in command]
    log = os.open(folder / "service.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - the command stands in the customer's own params file
            filled, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    except OSError as error:
        raise ConfigError(f"The service of {folder.name} cannot be started ({error.strerror}): {filled[0]}.") from None
    finally:
        os.close(log)
    line = _first_line(process)
    try:
        about = {**json.loads(line), "pid": process.pid}
    except (ValueError, TypeError):
        process.kill()
        process.wait()
        raise UnavailableError(
            f"The service of {folder.name} did not say that it is ready.",
            hint=f"See runs/{folder.name}/service.log.",
        ) from None
    with os.fdopen(os.open(folder / "service.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(about, file)
    return Running(about)


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """The line that says it is ready; empty when the process ends or is silent for too long."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    data, end = b"", time.monotonic() + READY_WITHIN
    while time.monotonic() < end and b"\n" not in data:
        piece = process.stdout.read(65536)
        data += piece or b""
        if not piece:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    process.stdout.close()
    return data.partition(b"\n")[0].decode("utf-8", "replace")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with os.fdopen(os.open(folder / ".service.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
