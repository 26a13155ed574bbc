"""One way out to the network: pace, send, translate, mask. The only module that speaks HTTP.

A call here is one attempt. What an answer means is decided by `lever` and `ashby`; what may be retried is decided
by `reading` (reads: everything that may pass) and by the ledger (writes: only what surely did not happen).
"""

from __future__ import annotations

import base64
import contextlib
import http.cookiejar
import json
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from typing import IO, Any
from urllib.parse import SplitResult, quote, quote_plus, urlencode, urlsplit

import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter

from lib.errors import ConfigError, FatalError, RetryableError, StoreError, UnavailableError, UnknownOutcomeError
from lib.transport.flights import Flights
from lib.transport.headers import (
    LONGEST_WAIT,
    http_date,
    plain_code,
    plain_word,
    retry_after,
    server_time,
    whole_number,
)
from lib.transport.pacer import HASTE, Pacer

__all__ = [
    "HASTE",
    "LONGEST_WAIT",
    "LOOPBACK",
    "Limits",
    "Masker",
    "Pacer",
    "Patience",
    "Reply",
    "Transport",
    "check_url",
    "host_allowed",
    "host_of",
    "http_date",
    "ping",
    "plain_code",
    "plain_word",
    "retry_after",
    "server_time",
    "whole_number",
]
stamina.instrumentation.set_on_retry_hooks([])  # its log lines would reach notebooks; the progress line tells waits
CHUNK = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_ORIGIN = re.compile(r"(?:[^/?#]*//)?[^/?#]*")


class Masker:
    """Replaces every registered secret, in all the forms it may take, by `***`."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def register(self, secret: str) -> str:
        """Remember `secret` (raw, URL-encoded, in JSON, as Basic credentials) and return it."""
        if secret:
            basic = base64.b64encode(f"{secret}:".encode()).decode()
            quoted = [quote(secret, safe=""), quote_plus(secret), quote(secret)]
            lower = [re.sub("%..", lambda found: found[0].lower(), form) for form in quoted]
            self._forms |= {secret, basic, basic.rstrip("="), json.dumps(secret)[1:-1], *quoted, *lower}
        return secret

    def mask(self, text: str) -> str:
        """`text` without any registered secret."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer: status, headers (case-insensitive), body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as JSON; ValueError when it is not."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines in seconds and the largest body in bytes of one call."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0
    max_bytes: int = 64 * 1024 * 1024


class Transport:
    """A pooled HTTP session for one vendor, paced, with deadlines; never follows a redirect by itself."""

    def __init__(
        self, name: str, *, pacer: Pacer, limits: Limits | None = None, workers: int = 16, proxy: str = ""
    ) -> None:
        self.name = name
        self.pacer = pacer
        self.flights = Flights(pacer, most=workers)
        self.limits = limits or Limits()
        self.n_calls = 0
        self.before_write: Callable[[], None] = lambda: None  # may refuse, after all waiting and before the first byte
        self._session = requests.Session()
        self._session.trust_env = False  # neither ~/.netrc nor environment variables may change where keys go
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        if proxy:
            self._session.proxies = {"https": proxy}
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=workers + 4, max_retries=0))

    def close(self) -> None:
        """Give back all connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        writes: bool = False,
        paced: bool = True,
        auth: tuple[str, str] | Callable[[Any], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        params: list[tuple[str, str]] | None = None,
        data: bytes | None = None,
        files: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
        sink: IO[bytes] | None = None,
    ) -> Reply:
        """One attempt. With `sink` a 2xx body goes there and `Reply.content` stays empty.

        Raises UnavailableError when nothing can have happened (never reached; or a read, which changes nothing),
        and UnknownOutcomeError when a write may have been applied.
        """
        check_url(url)
        query = urlencode(params) if params else None  # what requests makes of pairs, for an eighth of its time
        request = requests.Request(
            method, url, params=query, data=fields if files else data, files=files, auth=auth, headers=headers
        )
        if not paced:  # another host, with a pace of its own
            return self._sent(request, sink, writes=writes)
        self.flights.begin()
        began = None
        try:
            self.pacer.acquire()
            began = time.monotonic()
            self.flights.leave()
            return self._sent(request, sink, writes=writes)
        finally:
            self.flights.end(None if began is None else time.monotonic() - began)

    def _sent(self, request: requests.Request, sink: IO[bytes] | None, *, writes: bool) -> Reply:
        if writes:
            self.before_write()
        self.n_calls += 1
        end = time.monotonic() + self.limits.total
        try:
            with contextlib.closing(self._begun(self._prepared(request))) as answer:
                content = self._body(answer, end, sink if answer.status_code < 300 else None)
            return Reply(answer.status_code, answer.headers, content)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, _UnfinishedError) as error:
            raise self._translated(error, str(request.url), writes, ours=request.auth is not None) from None

    def _prepared(self, request: requests.Request) -> requests.PreparedRequest:
        """As the session would, without the cookies, credentials and hooks that it would look for and never has."""
        request.headers = {**self._session.headers, **request.headers}
        return request.prepare()

    def _begun(self, request: requests.PreparedRequest) -> requests.Response:
        """The answer up to its headers. Session.send would read a redirect's body, however long, and its address."""
        timeout = (self.limits.connect, self.limits.read)
        adapter = self._session.get_adapter(request.url or "")
        return adapter.send(request, stream=True, timeout=timeout, verify=True, proxies=self._session.proxies)

    def _body(self, answer: requests.Response, end: float, sink: IO[bytes] | None) -> bytes:
        received, parts = 0, []
        while chunk := answer.raw.read1(CHUNK, decode_content=True):  # what is there: a trickle must not hide the time
            received += len(chunk)
            if time.monotonic() > end:
                raise _UnfinishedError(f"no end after {self.limits.total:.0f} s")
            if received > self.limits.max_bytes:
                raise _UnfinishedError(f"more than {self.limits.max_bytes} bytes")
            if sink is None:
                parts.append(chunk)
            else:
                _store(sink, chunk)
        expected = whole_number(answer.headers.get("Content-Length", ""))
        if expected is not None and "Content-Encoding" not in answer.headers and expected != received:
            raise _UnfinishedError(f"{received} of {expected} bytes arrived")
        return b"".join(parts)

    def _translated(self, error: Exception, url: str, writes: bool, *, ours: bool) -> Exception:
        parts = urlsplit(url)  # the path of a storage address may hold a person's file name
        what = f"{self.name}: {type(error).__name__} at {parts.path if ours else parts.hostname}"
        if isinstance(error, requests.exceptions.SSLError) and _certificate_refused(error):
            return FatalError(f"{what}: the server's certificate was refused.", hint="TLS cannot be switched off.")
        if writes and not _never_sent(error):
            return UnknownOutcomeError(f"{what}: the answer to a write was lost.")
        if isinstance(error, requests.ConnectionError) and _never_sent(error):
            return UnavailableError(
                f"{what}: {parts.netloc} cannot be reached.", hint="Is the address right, is it up?"
            )
        return UnavailableError(
            f"{what}: no complete answer ({error if isinstance(error, _UnfinishedError) else 'cut off'})."
        )


class _UnfinishedError(Exception):
    """A body that did not end in time, or in size."""


def _store(sink: IO[bytes], chunk: bytes) -> None:
    """Write to our own disk: when that fails, no server is to blame and no retry helps."""
    try:
        sink.write(chunk)
    except OSError as error:
        raise StoreError(f"A download cannot be written ({error.strerror}).", hint="Is the disk full?") from None


def _never_sent(error: Exception) -> bool:
    """True only when no byte of the request can have left: no connection was made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    refused = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(error, requests.ConnectionError) and isinstance(reason, refused)


def _certificate_refused(error: Exception) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def check_url(url: str) -> None:
    """Raise ConfigError unless `url` is https, or http to this very machine."""
    if not _plain_parts(url):
        raise ConfigError("An address is not a plain https address.", hint="Only https is allowed, without a password.")


def host_allowed(url: str, patterns: list[str]) -> bool:
    """True when the host of `url` is one of `patterns` (`*.lever.co` allows sub-domains) and the scheme is safe."""
    parts = _plain_parts(url)
    return parts is not None and any(
        fnmatch(parts.netloc.lower(), pattern) or fnmatch(parts.hostname or "", pattern) for pattern in patterns
    )


def _plain_parts(url: str) -> SplitResult | None:
    """Scheme and host of an address that is https (or http to this very machine) and that all parsers read alike.

    `https://evil.example\\@files.lever.co/` is one host for urllib.parse and another one for urllib3, which connects.
    """
    return None if _ODD.search(url) else _plain_origin(_ORIGIN.match(url)[0])  # type: ignore[index] - it always matches


@lru_cache(maxsize=64)
def _plain_origin(origin: str) -> SplitResult | None:
    """The same of what stands before the path: that is all in which addresses of one host could be read otherwise."""
    try:
        parts, other = urlsplit(origin), urllib3.util.parse_url(origin)
        _ = parts.port
    except (ValueError, urllib3.exceptions.LocationParseError):
        return None
    odd = any(char in "@ %" for char in parts.netloc)
    if odd or not parts.hostname or parts.hostname != (other.host or "").strip("[]").lower():
        return None
    return parts if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK) else None


def host_of(url: str) -> str:
    """The host of an address, for a message; "(none)" when it is no address."""
    try:
        return re.sub(r"[^A-Za-z0-9.:-]", "?", urlsplit(url).hostname or "(none)")
    except ValueError:
        return "(none)"


@dataclass(frozen=True, slots=True)
class Patience:
    """How reads are retried: waits of first, 2*first, 4*first … (+ jitter) up to `longest` seconds."""

    attempts: int = 8
    first: float = 1.0
    longest: float = 60.0

    def tries(self) -> Iterator[Any]:
        """Attempts as context managers; RetryableError leads to the next one, all else is raised."""
        return iter(
            stamina.retry_context(
                on=_wait_for, attempts=self.attempts, timeout=None, wait_initial=self.first, wait_max=self.longest,
                wait_jitter=self.first,
            )
        )  # fmt: skip


def _wait_for(error: Exception) -> bool | float:
    if not isinstance(error, RetryableError):
        return False
    return True if error.wait is None else error.wait + random.random() * 0.1


def ping(url: str, *, seconds: float = 2.0) -> dict[str, Any] | None:
    """The JSON object at `url` of a local service, or None when nothing is there that gives one.

    UnavailableError when something is there and does not answer within `seconds`: busy or stopped, and not gone.
    """
    check_url(url)
    session = requests.Session()
    session.trust_env = False
    try:
        return dict(session.get(url, timeout=seconds, allow_redirects=False).json())
    except requests.Timeout:
        raise UnavailableError(f"Nothing came from {host_of(url)} within {seconds:g} seconds.") from None
    except (requests.RequestException, ValueError, TypeError):
        return None
    finally:
        session.close()
