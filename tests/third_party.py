"""Other people's clients, unmodified but for the address, against the sandbox: `make clients`.

Not part of the test suite: it installs packages of others into throw-away environments. A client that works against
the vendors and not here shows that the sandbox is wrong; one that works here proves little, so the ids each client
brings home are compared with the sandbox's own truth and state, and no call may have been unknown to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import third_party_mcp
import yaml
from conftest import Sandbox, running_sandbox

Json = dict[str, Any]
REDIRECT = '''"""Sends requests that were meant for the vendors to the sandbox: the one thing that is changed."""
import os

import requests

PAIRS = [pair.split("=>") for pair in os.environ.get("REDIRECT", "").split(";") if pair]
_send = requests.Session.send


def send(self, prepared, **more):
    for old, new in PAIRS:
        if prepared.url.startswith(old):
            prepared.url = new + prepared.url[len(old):]
    return _send(self, prepared, **more)


requests.Session.send = send
'''
DLT = """
import dlt, json, sys
from dlt.sources.rest_api import rest_api_source
about = json.load(open(sys.argv[1]))
child = lambda name: {"name": name, "endpoint": {"path": "opportunities/{parent}/" + name, "data_selector": "data",
    "params": {"parent": {"type": "resolve", "resource": "opportunities", "field": "id"}}}}
source = rest_api_source({
    "client": {"base_url": "https://api.lever.co/v1/",
               "auth": {"type": "http_basic", "username": about["lever_key"], "password": ""},
               "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "offset"}},
    "resources": [
        {"name": "opportunities", "endpoint": {"path": "opportunities", "data_selector": "data",
                                               "params": {"limit": 100, "confidentiality": "all"}}},
        child("notes"), child("feedback")]})
for name in ("opportunities", "notes", "feedback"):
    for row in source.resources[name]:
        print(json.dumps({"stream": name, "id": row["id"]}))
"""


class Environment:
    """A throw-away Python environment with packages of others in it."""

    def __init__(self, folder: Path, *packages: str) -> None:
        """Install `packages` from the registry that pip is set to."""
        self.bin = folder / "bin"
        venv.create(folder, with_pip=True)
        self.install(*packages)
        where = subprocess.check_output(
            [self.bin / "python", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
        )
        self.site = Path(where.strip())
        (self.site / "to_the_sandbox.py").write_text(REDIRECT)
        (self.site / "to_the_sandbox.pth").write_text(
            "import os; 'REDIRECT' in os.environ and __import__('to_the_sandbox')\n"
        )

    def install(self, *words: str) -> None:
        """pip, quietly."""
        tool = [self.bin / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        done = subprocess.run([*tool, *words], env=clean(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"pip could not install {words[-1]}: {done.stderr[-800:]}")

    def run(self, sandbox: Sandbox, *words: str | Path) -> str:
        """Run a command of this environment; everything for the vendors goes to `sandbox`."""
        about = sandbox.about
        pairs = {
            "https://api.lever.co/v1": about["lever_url"],
            "https://auth.lever.co/oauth/token": about["lever_oauth"]["token_url"],
            "https://api.ashbyhq.com": about["ashby_url"],
        }
        told = clean() | {"REDIRECT": ";".join(f"{old}=>{new}" for old, new in pairs.items())}
        done = subprocess.run(
            [self.bin / words[0], *words[1:]], env=told, capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
        return done.stdout


def clean() -> dict[str, str]:
    """Our environment without what would lend our packages to theirs."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def lines(text: str) -> Iterator[Json]:
    """The JSON lines of an output."""
    for line in text.split("\n"):
        if line.startswith("{"):
            yield json.loads(line)


def put(folder: Path, name: str, value: Any) -> Path:
    """A JSON file for a client."""
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def tap(env: Environment, sandbox: Sandbox, folder: Path) -> dict[str, set[str]]:
    """The Singer tap for Lever, every stream."""
    config = {"token": sandbox.about["lever_key"], "start_date": "2010-01-01T00:00:00Z", "user_agent": "x"}
    settings = put(folder, "tap.json", config)
    catalog = json.loads(env.run(sandbox, "tap-lever", "--config", settings, "--discover"))
    for stream in catalog["streams"]:
        next(one for one in stream["metadata"] if not one["breadcrumb"])["metadata"]["selected"] = True
    chosen = put(folder, "tap-catalog.json", catalog)
    found: dict[str, set[str]] = {}
    for row in lines(env.run(sandbox, "tap-lever", "--config", settings, "--catalog", chosen)):
        if row.get("type") == "RECORD":
            found.setdefault(row["stream"], set()).add(str(row["record"].get("id") or row["record"].get("text")))
    return found


def airbyte(env: Environment, sandbox: Sandbox, folder: Path, package: str, config: Json) -> dict[str, set[str]]:
    """An Airbyte source by its published manifest, every stream."""
    manifest = yaml.safe_load((env.site / package / "manifest.yaml").read_text())
    settings = put(folder, "airbyte.json", config | {"__injected_declarative_manifest": manifest})
    tool = "source-declarative-manifest"
    streams: list[Json] = []
    for row in lines(env.run(sandbox, tool, "discover", "--config", settings)):
        streams += row.get("catalog", {}).get("streams", [])
    wanted = [{"stream": one, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"} for one in streams]
    chosen = put(folder, "airbyte-catalog.json", {"streams": wanted})
    found: dict[str, set[str]] = {one["name"]: set() for one in streams}
    for row in lines(env.run(sandbox, tool, "read", "--config", settings, "--catalog", chosen)):
        if row["type"] == "RECORD":
            found[row["record"]["stream"]].add(str(row["record"]["data"].get("id")))
    return found


def dlt(env: Environment, sandbox: Sandbox, folder: Path) -> dict[str, set[str]]:
    """dlt's REST source, told of Lever's paging and nothing else."""
    (folder / "lever_dlt.py").write_text(DLT)
    about = put(folder, "about.json", sandbox.about)
    found: dict[str, set[str]] = {}
    for row in lines(env.run(sandbox, "python", folder / "lever_dlt.py", about)):
        found.setdefault(row["stream"], set()).add(row["id"])
    return found


def lever_config(sandbox: Sandbox, *, oauth: bool) -> Json:
    """What Airbyte's Lever source wants to know."""
    credentials: Json = {"auth_type": "Api Key", "api_key": sandbox.about["lever_key"]}
    if oauth:
        given = sandbox.about["lever_oauth"]
        names = ("client_id", "client_secret", "refresh_token")
        credentials = {"auth_type": "Client"} | {name: given[name] for name in names}
    return {"credentials": credentials, "environment": "Production", "start_date": "2010-01-01T00:00:00Z"}


def opportunities(sandbox: Sandbox, **query: str) -> set[str]:
    """Ids of opportunities, asked of the sandbox by this script's own small crawl."""
    found: set[str] = set()
    offset = ""
    words = "&".join(f"{name}={value}" for name, value in query.items())
    while True:
        more = f"&offset={urllib.request.quote(offset, safe='')}" if offset else ""  # type: ignore[attr-defined]
        request = urllib.request.Request(f"{sandbox.about['lever_url']}/opportunities?limit=100&{words}{more}")
        request.add_header("Authorization", f"Basic {basic(sandbox.about['lever_key'])}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        found |= {one["id"] for one in page["data"]}
        if not page["hasNext"]:
            return found
        offset = page["next"]


def basic(key: str) -> str:
    """The key as basic authorization has it."""
    import base64  # noqa: PLC0415

    return base64.b64encode(f"{key}:".encode()).decode()


OWN = {
    "Airbyte Ashby": {"per_page"},
    "ashby-mcp": {"primaryEmailAddress", "primaryPhoneNumber", "limit"},
    "ashby-mcp-server": {"per_page"},
}
"""Members of a client's own: Ashby's documents lack them there, and the sandbox tells that it ignored them."""


def report(name: str, sandbox: Sandbox, found: dict[str, set[str]], wanted: dict[str, set[str]]) -> bool:
    """One line per client; True when it brought home what it should and the sandbox knew every call."""
    calls = sandbox.ask("GET", "/calls")
    wrong = {stream: len(ids ^ found.get(stream, set())) for stream, ids in wanted.items()}
    wrong = {stream: n for stream, n in wrong.items() if n}
    calls["unknown_params"] = [one for one in calls["unknown_params"] if one["name"] not in OWN.get(name, ())]
    odd = {kind: calls[kind] for kind in ("unknown_paths", "unknown_params", "rejected_bodies") if calls[kind]}
    counts = ", ".join(f"{stream} {len(ids)}" for stream, ids in sorted(found.items()))
    print(f"{'ok   ' if not wrong and not odd else 'WRONG'} {name}: {calls['total']:,} calls; {counts}")
    for label, what in (("differs", wrong), ("not known to the sandbox", odd)):
        if what:
            print(f"      {label}: {json.dumps(what)[:600]}")
    sandbox.reset()
    sandbox.ask("DELETE", "/calls")
    return not wrong and not odd


def mcp_servers(sandbox: Sandbox, folder: Path) -> bool:
    """Two MCP servers for Ashby; without Node they are passed over, and that is said."""
    if not third_party_mcp.available():
        print("skip  MCP servers for Ashby: Node and npm are not here")
        return True
    place = third_party_mcp.installed(folder / "node", "ashby-mcp", "ashby-mcp-server")
    with third_party_mcp.server(place, sandbox, "ashby-mcp") as call:
        found = third_party_mcp.evaluating(call, sandbox)
    good = report("ashby-mcp", sandbox, found, {}) and len(found["added candidates"]) == 1
    state = sandbox.state
    with third_party_mcp.server(place, sandbox, "ashby-mcp-server") as call:
        found = third_party_mcp.reading(call, sandbox)
    wanted = {"candidates": {one["id"] for one in state["candidates"]}}
    return report("ashby-mcp-server", sandbox, found, wanted) and good


def main() -> int:
    """Run all clients; 1 when one of them is not served as it should be."""
    good = True
    with tempfile.TemporaryDirectory() as temporary, running_sandbox(people=30, seed=5) as sandbox:
        folder = Path(temporary)
        every, plain = opportunities(sandbox, confidentiality="all"), opportunities(sandbox)
        dated = opportunities(sandbox, updated_at_start="0")
        sandbox.ask("DELETE", "/calls")
        env = Environment(folder / "tap", "tap-lever", "setuptools<81")
        good &= report(
            "Singer tap-lever", sandbox, tap(env, sandbox, folder), {"opportunities": dated, "candidates": dated}
        )
        env = Environment(folder / "airbyte", "airbyte-cdk")
        for package in ("airbyte-source-lever-hiring", "airbyte-source-ashby"):  # their manifests; the CDK runs them
            env.install("--no-deps", package)
        for oauth in (False, True):
            sandbox.switch(**({"oauth_old_refresh": "accept"} if oauth else {}))  # each of its streams refreshes anew
            found = airbyte(env, sandbox, folder, "source_lever_hiring", lever_config(sandbox, oauth=oauth))
            good &= report(f"Airbyte Lever, {'OAuth' if oauth else 'key'}", sandbox, found, {"opportunities": dated})
        state = sandbox.state
        config = {"api_key": sandbox.about["ashby_key"], "start_date": "2010-01-01T00:00:00Z"}
        sandbox.switch(unknown_members="ignore")  # it sends a member of its own, `per_page`, with every list
        found = airbyte(env, sandbox, folder, "source_ashby", config)
        wanted = {"candidates": {one["id"] for one in state["candidates"]}}
        good &= report("Airbyte Ashby", sandbox, found, wanted)
        env = Environment(folder / "dlt", "dlt")
        good &= report("dlt REST source, Lever", sandbox, dlt(env, sandbox, folder), {"opportunities": every})
        good &= mcp_servers(sandbox, folder)
        print(f"(opportunities: {len(every)}, not confidential {len(plain)}, of those with updatedAt {len(dated)})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
