"""One customer's settings and secrets, validated: `params/<customer>.yaml` and `.env.<customer>`.

Secrets never stand in the params file. They come from `.env.<customer>`, or else from the environment.
The decision tables live in `lib.decisions`.
"""

from __future__ import annotations

import codecs
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lib.errors import ConfigError, WorkbookError
from lib.transport import HASTE, LOOPBACK, check_url

LEVER_PER_SECOND, LEVER_BURST = 10, 20  # per key: steady, and in any one second (its reference, "Rate limits")
ASHBY_PER_MINUTE = 979  # of 1,000 per key (observed); the rest is for calls at once, and for making up after a 429
CUSTOMER = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _safe_url(url: str) -> str:
    try:
        check_url(url)
    except WorkbookError as error:
        raise ValueError(error.message) from None
    return url.rstrip("/")


def _safe_store_url(url: str) -> str:
    """A PostgreSQL address without a secret in it; over a network the connection is encrypted."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        words = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        raise ValueError("this is no address") from None
    if parts.scheme not in ("postgresql", "postgresql+psycopg") or not re.fullmatch(r"/[^/@:]+", parts.path):
        raise ValueError("write postgresql://user@host/database, or leave it empty for SQLite")
    if parts.password is not None or {"password", "sslpassword"} & set(words):
        raise ValueError("a password stands in it; put it into .env.CUSTOMER as STORE_PASSWORD=... (and change it)")
    host = words.get("host", host)
    local = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
    if not local and words.get("sslmode", "require") not in ("require", "verify-ca", "verify-full"):
        raise ValueError("for a database on another machine, sslmode is require, verify-ca or verify-full")
    return url


Url = Annotated[str, AfterValidator(_safe_url)]
StoreUrl = Annotated[str, AfterValidator(_safe_store_url)]
EnvName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]  # the name of a variable, not a key itself


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class Retry(_Model):
    """How reads are retried: `attempts` tries, waits of `first_s`, doubled each time, up to `longest_s` seconds."""

    attempts: int = Field(8, ge=1, le=20)
    first_s: float = Field(1.0, gt=0, le=60)
    longest_s: float = Field(60.0, gt=0, le=600)


SCOPES = (
    "offline_access", "confidential:access:admin",
    *(f"{name}:read:admin" for name in (
        "applications", "archive_reasons", "contact", "feedback", "feedback_templates", "files", "forms",
        "form_templates", "interviews", "notes", "offers", "opportunities", "panels", "postings", "referrals",
        "requisitions", "requisition_fields", "resumes", "sources", "stages", "tags", "users",
    )),
)  # fmt: skip
"""All that a full read needs (Lever's reference, "Scopes"); without `offline_access` there is no refresh token."""


def _reading_scopes(scopes: list[str]) -> list[str]:
    if "offline_access" not in scopes:
        raise ValueError("offline_access is needed: without it a consent ends after an hour")
    if any(":write" in one or one.endswith(":*") for one in scopes):
        raise ValueError("only scopes that read: nothing is ever written to Lever")
    return scopes


Scopes = Annotated[list[Annotated[str, Field(pattern=r"^[a-z_]+(:[a-z_]+)*$")]], AfterValidator(_reading_scopes)]


class OAuthSettings(_Model):
    """How a registered app is let in instead of a key; ids and secrets stand in the variables that are named here.

    An empty `audience` is `base_url` with a slash, which is Lever's own (https://api.lever.co/v1/).
    """

    authorize_url: Url = "https://auth.lever.co/authorize"
    token_url: Url = "https://auth.lever.co/oauth/token"
    hosts: list[str] = ["*.lever.co"]  # to which the token address may redirect (accounts in the EU)
    audience: str = ""
    client_id_env: EnvName = "LEVER_CLIENT_ID"
    client_secret_env: EnvName = "LEVER_CLIENT_SECRET"
    redirect_uri_env: EnvName = "LEVER_REDIRECT_URI"
    refresh_token_env: EnvName = "LEVER_REFRESH_TOKEN"
    scopes: Scopes = list(SCOPES)


def _time_zone(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError("no time zone of that name; write it as in Europe/Berlin")
    return name


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name if name else name
    except LookupError:
        raise ValueError("no encoding of that name; write it as in cp1252") from None


TimeZone = Annotated[str, AfterValidator(_time_zone)]
Encoding = Annotated[str, AfterValidator(_encoding)]


class LeverSettings(_Model):
    """How to reach Lever: 10 requests per second per key, with bursts of 20 (its reference, "Rate limits")."""

    base_url: Url = "https://api.lever.co/v1"
    auth: Literal["key", "oauth"] = "key"
    key_env: EnvName = "LEVER_API_KEY"
    oauth: OAuthSettings = OAuthSettings()
    per_second: float = Field(9.75, gt=0)
    burst: int = Field(5, ge=1, le=1000)
    workers: int = Field(16, ge=1, le=64)  # at most; how many are at work follows the latency
    download_hosts: list[str] = ["*.lever.co", "*.s3.amazonaws.com", "*.s3.*.amazonaws.com", "s3.*.amazonaws.com"]
    confidential_access: Literal["prove", "granted", "accept_gap"] = "prove"
    confidential_posting: list[str] = []  # ids of postings that are known to be confidential: asked for as a proof
    file_hours: float = Field(20.0, ge=0)  # what Lever cannot deliver is asked for again so many hours later
    reread_hours: float = Field(24.0, ge=0)  # older child lists stop a load; 0: never
    closed: bool = False  # Lever is closed: a load does not ask it whether somebody was erased meanwhile
    source: Literal["api", "files"] = "api"  # files: Lever's own export, read from export_folder, without any key
    export_folder: str = ""  # below $WORKBOOK_HOME, or absolute
    export_dates: Literal["", "dmy", "mdy"] = ""  # the order of 02/03/2024, where the export has such dates
    export_time_zone: TimeZone = ""  # of times that say none, e.g. Europe/Berlin
    export_encoding: Encoding = ""  # of tables that are not UTF, e.g. cp1252
    retry: Retry = Retry()

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, data: Any) -> Any:
        """An export needs its folder; and Lever itself is not asked: it is as if it were closed."""
        if not isinstance(data, dict) or data.get("source") != "files":
            return data
        if not data.get("export_folder"):
            raise ValueError("source: files needs export_folder")
        return data | {"closed": True}

    @property
    def secret_names(self) -> list[str]:
        """The variables without which nobody is let in."""
        if self.source == "files":
            return []
        return [self.key_env] if self.auth == "key" else [self.oauth.client_id_env, self.oauth.client_secret_env]


class AshbySettings(_Model):
    """How to reach Ashby. 1,000 requests per minute per key (observed in its `x-ratelimit-*` headers)."""

    base_url: Url = "https://api.ashbyhq.com"
    key_env: EnvName = "ASHBY_API_KEY"
    per_minute: float = Field(975.0, gt=0)
    workers: int = Field(24, ge=1, le=64)  # at most, as above
    upload_hosts: list[str] = ["*.s3.amazonaws.com", "*.s3.*.amazonaws.com", "s3.*.amazonaws.com", "*.ashbyhq.com"]
    api_version: str = ""
    settle_s: float = Field(20.0, ge=0, le=600)
    refusal_budget: int = Field(25, ge=1)
    retry: Retry = Retry()


def _iso_date(text: str) -> str:
    if text:
        datetime.fromisoformat(text)
    return text


Day = Annotated[str, AfterValidator(_iso_date)]


class Scope(_Model):
    """What moves. Times are ISO dates (UTC); empty lists mean "all"; what is given must all be met."""

    created_from: Day = ""
    created_to: Day = ""
    states: list[Literal["active", "archived", "hired"]] = []
    postings: list[str] = []
    departments: list[str] = []
    locations: list[str] = []
    tags: list[str] = []
    include_confidential: bool = True


class Survives(_Model):
    """Whose value a person keeps whose contacts differ; further addresses, numbers and links are kept besides."""

    name: Literal["fullest", "newest", "oldest"] = "fullest"
    headline: Literal["newest", "oldest"] = "newest"
    location: Literal["newest", "oldest"] = "newest"
    email: Literal["newest", "oldest"] = "newest"
    phone: Literal["newest", "oldest"] = "newest"
    links: Literal["newest", "oldest"] = "newest"


class Policy(_Model):
    """Decisions of principle, made once per customer; docs/mapping.md explains each."""

    without_posting: Literal["candidate_only", "talent_pool", "archive_only"] = "candidate_only"
    talent_pool_job: str = ""
    repeat_candidacy: Literal["note", "application"] = "note"
    placeholder_user: str = ""  # Ashby user (id or e-mail) that stands for authors of feedback who have no account
    secret_notes: Literal["private", "withhold"] = "private"
    confidential_as_new: bool = False
    existing_candidates: Literal["link", "link_and_fill", "review"] = "link"
    consent_denied: Literal["never", "load"] = "never"
    consent_expired: Literal["never", "load"] = "never"
    phone_region: str = Field("US", pattern="^[A-Z]{2}$")
    review_from: float = Field(0.3, ge=0.01, le=0.99)  # pairs of people at least so likely to be one wait for a verdict
    survives: Survives = Survives()
    note_limit: int = Field(20_000, ge=500)
    file_limit: int = Field(0, ge=0)  # bytes of the largest file that Ashby takes; 0: not known
    losses: Literal["signed", "unsigned"] = "signed"  # whether losses.csv must be signed before anything is written
    run_tag: str = "Migrated from Lever"
    scope: Scope = Scope()


class Service(_Model):
    """A local service that is started with the customer and prints one JSON line with addresses and keys."""

    command: list[str] = Field(min_length=1)


class Params(_Model):
    """All settings of one customer."""

    customer: str
    execute_by_default: bool = False  # only for a throw-away target: 05_load writes without being told to
    store_url: StoreUrl = ""
    store_password_env: EnvName = "STORE_PASSWORD"
    lever: LeverSettings = LeverSettings()
    ashby: AshbySettings = AshbySettings()
    policy: Policy = Policy()
    service: Service | None = None
    proxy: str = ""


ENV_TEXT = """# Keys of customer {customer}. This file is read by the workbook only; keep it private (mode 0600).
# Lever: Settings, Integrations and API, API credentials. Tick every read permission, and "Allow access to
# confidential data" (it can only be given when the key is made).
LEVER_API_KEY=
# Lever with OAuth instead of a key (lever.auth: oauth in the params file): the registered app, and where it sends the
# browser. Then: workbook connect {customer}. Whoever has a refresh token already may begin with it instead.
# LEVER_CLIENT_ID=
# LEVER_CLIENT_SECRET=
# LEVER_REDIRECT_URI=
# LEVER_REFRESH_TOKEN=
# Ashby: Admin, API keys. All read and write permissions of candidates, jobs, hiring process metadata; read of
# interviews, organization, offers, API keys; and the toggles for confidential jobs, private fields, history.
ASHBY_API_KEY=
"""
"""What `.env.<customer>` holds at first."""


def home() -> Path:
    """The folder that holds `params/`, `notebooks/` and `runs/`: $WORKBOOK_HOME, or this repository."""
    return Path(os.environ.get("WORKBOOK_HOME") or Path(__file__).resolve().parents[1])


def customers() -> list[str]:
    """All customers that have a params file, by name."""
    return sorted(path.stem for path in (home() / "params").glob("*.yaml") if path.stem != "example")


def params_path(customer: str) -> Path:
    """Where the settings of `customer` stand; ConfigError when the name is not a plain one."""
    if not CUSTOMER.fullmatch(customer):
        raise ConfigError(
            f"{customer!r} is not a customer name.", hint="Use lower-case letters, digits, '-' and '_' (at most 40)."
        )
    return home() / "params" / f"{customer}.yaml"


def load(customer: str) -> Params:
    """The settings of `customer`; ConfigError says which file, which key, and what is wrong with it."""
    path = params_path(customer)
    if not path.is_file():
        known = ", ".join(customers()) or "none"
        raise ConfigError(
            f"There is no customer {customer!r}: params/{path.name} does not exist (there are: {known}).",
            hint=f"Make one with `workbook new {customer}`.",
        )
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"params/{path.name}{where} is not valid YAML.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"params/{path.name} is not UTF-8.") from None
    if not isinstance(data, dict):
        raise ConfigError(f"params/{path.name} is not a table of settings.")
    return validated(data, path.name, customer)


def validated(data: dict[str, Any], file: str, customer: str) -> Params:
    """`data` as Params; ConfigError lists all problems, without values."""
    try:
        params = Params(**data)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"params/{file}: {problems}.") from None
    if problems := "; ".join(_too_fast(params)):
        raise ConfigError(f"params/{file}: {problems}.", hint="Only a local service may be asked faster.")
    if params.customer != customer:
        raise ConfigError(f"params/{file}: customer is {params.customer!r}, the file says {customer!r}.")
    return params


def _too_fast(params: Params) -> list[str]:
    """What of the pace would exceed a vendor's limit; nothing where a service of this machine stands for it."""
    lever, ashby, found = params.lever, params.ashby, []
    most = int(LEVER_BURST - HASTE * lever.per_second)
    if _is_remote(params, lever.base_url) and lever.per_second > LEVER_PER_SECOND:
        found.append(f"lever.per_second: at most {LEVER_PER_SECOND}, as many as Lever allows each key")
    elif _is_remote(params, lever.base_url) and lever.burst > most:
        why = f"because Lever allows each key {LEVER_BURST} calls in any one second"
        found.append(f"lever.burst: at most {most} at {lever.per_second:g} per second, {why}")
    if _is_remote(params, ashby.base_url) and ashby.per_minute > ASHBY_PER_MINUTE:
        why = "because Ashby allows each key 1,000 calls in any minute, and some are kept for what a 429 has cost"
        found.append(f"ashby.per_minute: at most {ASHBY_PER_MINUTE}, {why}")
    return found


def _is_remote(params: Params, url: str) -> bool:
    return params.service is None and urlsplit(url).hostname not in LOOPBACK


def secrets(customer: str, names: list[str], *, given: dict[str, str] | None = None) -> dict[str, str]:
    """{name: value} from `given` (a local service), `.env.<customer>`, or the environment, in this order."""
    file, stored = _stored(customer)
    found = {name: (given or {}).get(name) or stored.get(name) or os.environ.get(name, "") for name in names}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise ConfigError(
            f"No value for {', '.join(missing)} of customer {customer!r}.",
            hint=f"Put it into {file.name} (mode 0600), or into the environment.",
        )
    return found


def optional_secret(customer: str, name: str, *, given: dict[str, str] | None = None) -> str:
    """A value that may be absent (then ""), from the same places in the same order."""
    return (given or {}).get(name) or _stored(customer)[1].get(name) or os.environ.get(name, "")


def store_password(customer: str, params: Params) -> str:
    """The password of `store_url`; empty where there is none, and libpq's own ways count (peer, ~/.pgpass)."""
    if not params.store_url:
        return ""
    return optional_secret(customer, params.store_password_env)


def _stored(customer: str) -> tuple[Path, dict[str, str]]:
    """The customer's .env file, and what stands in it."""
    file = home() / f".env.{customer}"
    return file, _read_env(file) if file.is_file() else {}


def _read_env(file: Path) -> dict[str, str]:
    if file.stat().st_mode & 0o077:
        raise ConfigError(f"{file.name} may be read by other users.", hint=f"Run: chmod 600 {file.name}")
    pairs = {}
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{file.name} is not UTF-8.") from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"{file.name}, line {number}: not of the form NAME=value.")
        pairs[name.strip()] = value.strip().strip("'\"")
    return pairs
