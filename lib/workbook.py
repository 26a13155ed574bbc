"""Opens one customer: settings, keys, clients, store, folders. The one place that puts them together."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lib import decisions, service
from lib.ashby import Ashby
from lib.disk import append, disk_errors, replaced
from lib.errors import GateError, StoreError
from lib.lever import Auth, Key, Lever
from lib.oauth import OAuth, OAuthClient
from lib.params import Params, home, load, optional_secret, secrets, store_password
from lib.store import Store, now_ms, open_store
from lib.transport import Limits, Masker, Pacer, Patience, Transport

Progress = Callable[[int, int | None, str], None]
STEPS = ("audit", "extract", "dedupe", "map", "load", "validate")


class NoLever:
    """Stands where Lever would, for a customer whose Lever comes as files: there is nobody to ask."""

    def hello(self) -> None:
        """Nothing to greet."""

    def close(self) -> None:
        """Nothing to give back."""


@dataclass
class Workbook:
    """One open customer. `lever` and `ashby` are paced and share nothing with other customers."""

    customer: str
    params: Params
    folder: Path
    store: Store
    lever: Lever | NoLever
    ashby: Ashby
    masker: Masker
    started_over: str = ""

    def close(self) -> None:
        """Give back connections."""
        self.lever.close()
        self.ashby.transport.close()
        self.store.close()

    @property
    def params_folder(self) -> Path:
        """Where the customer's decision tables stand."""
        return home() / "params" / self.customer

    @contextlib.contextmanager
    def private_file(self, name: str) -> Iterator[IO[str]]:
        """A file of this customer, written anew: mode 0600 in a folder with mode 0700, whole or not at all."""
        path = self.folder / name
        with disk_errors(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        with replaced(path) as file:
            yield file

    def table(self, name: str) -> decisions.DecisionTable:
        """One decision table, as it stands on disk."""
        return decisions.read(self.params_folder / f"{name}.csv")

    def tables(self) -> dict[str, decisions.DecisionTable]:
        """All decision tables that are there, by name; ConfigError names all that is wrong with any of the files."""
        return decisions.read_all(self.params_folder)

    @contextlib.contextmanager
    def writing(self, step: str) -> Iterator[None]:
        """Be the one writer of this customer while the block runs; logs when the step began and how it ended."""
        with self.store.lease(step) as lease:
            if lease.took_over:
                self.log("took over", step=step, from_=lease.took_over)
            self.log("begin", step=step)
            try:
                with disk_errors(self.folder):
                    yield
            except BaseException as error:
                with contextlib.suppress(StoreError):  # the log is on the disk that is full: the first error counts
                    self.log("stopped", step=step, error=type(error).__name__)
                raise
            self.log("end", step=step)

    def log(self, event: str, **about: object) -> None:
        """One line of log.jsonl: ids, counts and codes only."""
        append(self.folder / "log.jsonl", self.masker.mask(json.dumps({"at_ms": now_ms(), "event": event, **about})))

    def progress(self, step: str) -> Progress:
        """A function that tells how far a step is: in progress.json, and as one line in a notebook."""
        return ProgressLine(self.folder / "progress.json", step)

    def pin(self, side: str, ids: list[str]) -> None:
        """Remember which account this is by the ids of its users; GateError when another one answers."""
        known = self.store.meta(f"identity.{side}")
        if known and ids and not set(known) & set(ids):
            raise GateError(
                f"The {side} account that answers is not the one of the first audit of {self.customer!r}.",
                hint="Check the key. A new rehearsal account needs a new customer (`workbook new`).",
            )
        if ids and not known:
            self.store.put_meta(f"identity.{side}", sorted(ids))


class ProgressLine:
    """Tells done / total / pace / time left / why waiting, at most twice a second."""

    def __init__(self, file: Path, step: str) -> None:
        self._file, self._step = file, step
        self._began = self._told = 0.0
        self._first: int | None = None
        self._display: object = None

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = done, now
        if now - self._told < 0.5 and done != total:
            return
        self._told = now
        pace = (done - self._first) / (now - self._began) if now > self._began else 0.0
        left = (total - done) / pace if total and pace > 0 else None
        about = {"step": self._step, "done": done, "total": total, "per_second": round(pace, 1), "note": note}
        self._write(about | {"seconds_left": None if left is None else round(left), "at_ms": now_ms()})
        if _in_kernel():
            self._show(line(about, left))

    def _write(self, about: dict[str, object]) -> None:
        with replaced(self._file, durable=False) as file:
            json.dump(about, file)

    def _show(self, text: str) -> None:
        from IPython.display import display  # noqa: PLC0415 - only inside a kernel

        data = {"text/plain": text}
        if self._display is None:
            self._display = display(data, raw=True, display_id=True)
        else:
            self._display.update(data, raw=True)  # type: ignore[attr-defined]


def _in_kernel() -> bool:
    """True when this runs in a notebook, and not merely in a process that has imported IPython."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def line(about: dict[str, object], left: float | None) -> str:
    """One line of progress in plain words."""
    total = f" of {about['total']:,}" if about["total"] else ""
    ahead = "" if left is None else f", about {_duration(left)} left"
    note = f" ({about['note']})" if about["note"] else ""
    return f"{about['step']}: {about['done']:,}{total}, {about['per_second']} per second{ahead}{note}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else (f"{minutes} min {rest} s" if minutes else f"{rest} s")


def folder_of(customer: str) -> Path:
    """Where everything of one customer is kept: private, and ignored by git."""
    return home() / "runs" / customer


def open_customer(customer: str) -> Workbook:
    """Open a customer by name; ConfigError says what is wrong with the settings and how to mend it."""
    params = load(customer)
    try:
        return _opened(customer, params)
    except OSError as error:
        raise StoreError(
            f"runs/{customer} cannot be used ({error.strerror or type(error).__name__}).",
            hint="Is the disk full or read-only, does the folder belong to somebody else?",
        ) from None


def _opened(customer: str, params: Params) -> Workbook:
    folder = folder_of(customer)
    found = local_service(customer, params)
    started_over = _set_aside(customer, params, found.instance) if found else ""
    given, urls = _given(params, found), _urls(found)
    keys = secrets(customer, [*params.lever.secret_names, params.ashby.key_env], given=given)
    masker = Masker()
    for key in keys.values():
        masker.register(key)
    store = store_of(customer, params)
    masker.register(store_password(customer, params))
    if found and given:
        store.put_meta("service.instance", found.instance)
    lever = _source(customer, params, keys, found, masker)
    ashby = _ashby(params, keys[params.ashby.key_env], urls)
    ashby.transport.before_write = store.check_lease
    return Workbook(customer, params, folder, store, lever, ashby, masker, started_over)


def _source(
    customer: str, params: Params, keys: dict[str, str], found: service.Running | None, masker: Masker
) -> Lever | NoLever:
    """What the customer's Lever is read through; nothing where it comes as files."""
    if params.lever.source == "files":
        return NoLever()
    auth = Key(keys[params.lever.key_env]) if params.lever.auth == "key" else oauth_of(customer, params, found, masker)
    return lever_of(params, auth, found)


def local_service(customer: str, params: Params) -> service.Running | None:
    """The customer's own service, started where it does not run; None for a customer of the real vendors."""
    if params.service is None:
        return None
    return service.ensure(folder_of(customer), params.service.command, cwd=home_of_code())


def _urls(found: service.Running | None) -> dict[str, str]:
    return {name: found.url(f"{name}_url") for name in ("lever", "ashby", "storage")} if found else {}


def _given(params: Params, found: service.Running | None) -> dict[str, str]:
    """The secrets that a local service gives, by the names of the settings."""
    if found is None:
        return {}
    names = params.lever.oauth
    told = {"client_id": names.client_id_env, "client_secret": names.client_secret_env,
            "refresh_token": names.refresh_token_env}  # fmt: skip
    return found.env | {name: found.oauth[word] for word, name in told.items() if word in found.oauth}


def home_of_code() -> Path:
    """The folder of this repository, whatever $WORKBOOK_HOME says."""
    return Path(__file__).resolve().parents[1]


def lever_of(params: Params, auth: Auth, found: service.Running | None) -> Lever:
    """The customer's Lever, paced, at the address of the settings or of the local service."""
    settings, urls = params.lever, _urls(found)
    retry = settings.retry
    pacer = Pacer(settings.per_second, burst=settings.burst, first=retry.first_s, longest=retry.longest_s)
    transport = Transport("Lever", pacer=pacer, workers=settings.workers, proxy=params.proxy)
    hosts = settings.download_hosts + ([_host(urls["storage"])] if urls else [])
    base = urls.get("lever") or settings.base_url
    return Lever(base, auth, transport=transport, patience=_patience(settings.retry), hosts=hosts)


def oauth_of(customer: str, params: Params, found: service.Running | None, masker: Masker) -> OAuth:
    """The customer's consent, with tokens in its folder; nothing is asked of Lever yet."""
    settings = params.lever.oauth
    given = _given(params, found)
    keys = secrets(customer, params.lever.secret_names, given=given)
    url = found.oauth.get("token_url", "") if found else ""
    client = OAuthClient(
        keys[settings.client_id_env], keys[settings.client_secret_env], url or settings.token_url, settings.hosts
    )
    limits = Limits(read=30, total=60, max_bytes=1024 * 1024)
    return OAuth(
        client,
        folder_of(customer),
        customer=customer,
        transport=Transport("Lever", pacer=Pacer(1), limits=limits, workers=1, proxy=params.proxy),
        patience=_patience(params.lever.retry),
        first=optional_secret(customer, settings.refresh_token_env, given=given),
        instance=found.instance if found else "",
        register=masker.register,
    )


def _ashby(params: Params, key: str, urls: dict[str, str]) -> Ashby:
    settings = params.ashby
    per_second = settings.per_minute / 60
    retry = settings.retry
    pacer = Pacer(per_second, burst=max(1, int(per_second / 4)), first=retry.first_s, longest=retry.longest_s)
    transport = Transport("Ashby", pacer=pacer, workers=settings.workers, proxy=params.proxy)
    return Ashby(
        urls.get("ashby") or settings.base_url,
        key,
        transport=transport,
        patience=_patience(settings.retry),
        hosts=settings.upload_hosts + ([_host(urls["storage"])] if urls else []),
        api_version=settings.api_version,
    )


def _patience(retry: object) -> Patience:
    return Patience(attempts=retry.attempts, first=retry.first_s, longest=retry.longest_s)  # type: ignore[attr-defined]


def _host(url: str) -> str:
    return url.split("/")[2] if "//" in url else url


def store_of(customer: str, params: Params) -> Store:
    """The store of a customer, alone: no key, no network but the database's, no service."""
    return open_store(folder_of(customer), url=params.store_url, password=store_password(customer, params))


def _set_aside(customer: str, params: Params, instance: str) -> str:
    """When a throw-away target was started anew, what was written to the old one is gone: begin a new store.

    The earlier run is kept beside it, until the next time.
    """
    folder = folder_of(customer)
    if params.store_url:
        return _other_instance(customer, params, instance)
    if not (folder / "store.db").is_file():
        return ""
    store = open_store(folder)
    known = store.meta("service.instance")
    store.close()
    if known in (None, instance):
        return ""
    previous = folder.with_name(f"{folder.name}.previous")
    if (folder / "notebooks").exists() or not previous.exists():  # a run worth keeping replaces the one before it
        shutil.rmtree(previous, ignore_errors=True)
    else:
        previous = folder.with_name(f"{folder.name}.begun")
        shutil.rmtree(previous, ignore_errors=True)
    previous.mkdir(mode=0o700)
    for name in (
        "store.db",
        "store.db-wal",
        "store.db-shm",
        "files",
        "notebooks",
        "reports",
        "log.jsonl",
        "crosswalk.csv",
    ):
        if (folder / name).exists():
            (folder / name).rename(previous / name)
    return f"The local service was started anew, so this run begins anew; the earlier one is in runs/{previous.name}."


def _other_instance(customer: str, params: Params, instance: str) -> str:
    """A store on a database server is not moved by us: a renewed target needs a new database."""
    store = store_of(customer, params)
    known = store.meta("service.instance")
    store.close()
    if known in (None, instance):
        return ""
    raise GateError(
        f"The local service of {customer} was started anew, and its store still holds the run against the old one.",
        hint="Give the customer an empty database (store_url).",
    )
