"""A server on 127.0.0.1 that says exactly what a test tells it to, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Script = bytes | Callable[[socket.socket], None]


@dataclass
class Asked:
    """One request as it arrived: header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def http(status: int = 200, body: Any = b"", *, close: bool = False, **headers: str) -> bytes:
    """One whole HTTP answer; a body that is not bytes is sent as JSON; `content_length=""` leaves the length out."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {"content-length": str(len(data)), "content-type": "application/json"}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    if close:
        names["connection"] = "close"
    lines = [f"HTTP/1.1 {status} Odd", *(f"{name}: {value}" for name, value in names.items() if value)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def reset(connection: socket.socket) -> None:
    """Cut the connection without a byte."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionResetError


@dataclass
class OddServer:
    """`script` holds one answer per request; the last one is given again and again.

    Paths that stand in `always` have an answer of their own, and are not counted in `asked`.
    """

    script: list[Script] = field(default_factory=list)
    always: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    n_connections: int = 0

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def says(self, *script: Script) -> OddServer:
        """Give these answers from now on."""
        with self._lock:
            self.script = list(script)
            self.asked = []
        return self

    def stop(self) -> None:
        """Close the door and all connections."""
        for one in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join(5)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.n_connections += 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            while asked := _request(stream):
                with self._lock:
                    answer = self.always.get(asked.target.partition("?")[0])
                    if answer is None:
                        self.asked.append(asked)
                        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)
                if b"connection: close" in answer.partition(b"\r\n\r\n")[0]:
                    return


def _request(stream: Any) -> Asked | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) < 2:
        return None
    headers = {}
    while text := stream.readline().decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(line[0], line[1], headers, stream.read(int(headers.get("content-length", "0"))))


@contextlib.contextmanager
def serving() -> Iterator[OddServer]:
    """An odd server for the length of a `with`."""
    server = OddServer([http(200, {})])
    try:
        yield server
    finally:
        server.stop()
