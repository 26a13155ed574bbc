"""Ashby's MCP servers of others, unmodified but for the address, driven over their standard streams.

They are Node programs: the one thing that is changed is where `fetch` goes. Part of `make clients`.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import Sandbox

Json = dict[str, Any]
Call = Callable[..., Any]
REDIRECT = """
const [from, to] = process.env.REDIRECT_FETCH.split("=>");
const send = globalThis.fetch;
const moved = (url) => (url.startsWith(from) ? to + url.slice(from.length) : url);
globalThis.fetch = (url, options) => send(moved(String(url)), options);
"""
SECONDS = 60


def available() -> bool:
    """True when Node and its package manager are there."""
    return bool(shutil.which("npm") and shutil.which("node"))


def installed(folder: Path, *packages: str) -> Path:
    """A throw-away folder with packages of others in it, from the registry that npm is set to."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    (folder / "redirect.mjs").write_text(REDIRECT)
    run = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm could not install {', '.join(packages)}: {done.stderr[-800:]}")
    return folder


@contextmanager
def server(folder: Path, sandbox: Sandbox, package: str) -> Iterator[Call]:
    """A running MCP server; yields `call(tool, **arguments)`: what the tool answers, RuntimeError for errors."""
    about = json.loads((folder / "node_modules" / package / "package.json").read_text())
    told = os.environ | {
        "ASHBY_API_KEY": sandbox.about["ashby_key"],
        "REDIRECT_FETCH": f"https://api.ashbyhq.com=>{sandbox.about['ashby_url']}",
        "NODE_OPTIONS": f"--import {(folder / 'redirect.mjs').as_uri()}",
    }
    main = folder / "node_modules" / package / about["main"]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            ["node", main], env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            speak = _Speaker(process)
            us = {"name": "clients", "version": "1"}
            speak.ask("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo=us)
            speak.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
            speak.tools = {one["name"] for one in speak.ask("tools/list")["tools"]}
            yield speak.call
            unused = speak.tools - speak.used
            if unused:
                print(f"      tools of {package} that were not called: {', '.join(sorted(unused))}")
        finally:
            process.kill()
            process.wait(10)


class _Speaker:
    """JSON-RPC, a line per message."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.number = process, 0
        self.tools: set[str] = set()
        self.used: set[str] = set()

    def say(self, message: Json) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> Json:
        """The result of a call; messages about other things are passed over."""
        self.number += 1
        self.say({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], SECONDS)[0]:
            line = self.process.stdout.readline()
            if not line:
                break
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                found: Json = answer["result"]
                return found
        raise RuntimeError(f"{method}: no answer")

    def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool says: JSON where it is, else the text."""
        self.used.add(tool)
        found = self.ask("tools/call", name=tool, arguments=arguments)
        text = "\n".join(one.get("text", "") for one in found["content"])
        if found.get("isError") or re.match(r"Ashby API error|Error", text) or '"error":' in text:
            raise RuntimeError(f"{tool}: {text[:300]}")
        try:
            return json.loads(text[text.index("{") :])
        except ValueError:
            return text


def evaluating(call: Call, sandbox: Sandbox) -> dict[str, set[str]]:
    """`ashby-mcp`: a recruiter adds somebody, tags, notes, moves, reads everything about them, and archives them."""
    sandbox.switch(unknown_members="ignore")  # it makes a candidate with members that only answers have
    before = sandbox.state
    job = next(one for one in before["jobs"] if one["status"] == "Open")
    tag = sandbox.ashby("candidateTag.create", {"title": "By hand"})["id"]
    stages = sandbox.ashby("interviewStage.list", {"interviewPlanId": job["defaultInterviewPlanId"]})
    reason = sandbox.ashby("archiveReason.list", {})[0]["id"]
    about = {"name": "Nova Lead", "email": "nova@lead.example", "phone": "+44 20 7946 0001", "note": "n"}
    lead = call("ashby_add_lead", job_id=job["id"], **about)
    person = next(one for one in sandbox.state["candidates"] if one["name"] == "Nova Lead")
    application = person["applicationIds"][0]
    assert person["id"] in json.dumps(lead)
    call("ashby_add_candidate_note", candidate_id=person["id"], note="Strong.")
    call("ashby_add_candidate_tag", candidate_id=person["id"], tag_id=tag)
    call("ashby_move_application_stage", application_id=application, stage_id=stages[1]["id"])
    for tool in ("list_jobs", "list_applications", "list_interview_stages", "get_pipeline_summary",
                 "list_archive_reasons", "list_email_templates", "list_upcoming_interviews"):  # fmt: skip
        call(f"ashby_{tool}")
    call("ashby_get_job_details", job_id=job["id"])
    call("ashby_list_candidates_for_job", job_id=job["id"])
    call("ashby_search_candidates", query="Nova Lead")
    notes = json.dumps(call("ashby_get_candidate_notes", candidate_id=person["id"]))
    assert "Strong." in notes
    profile = json.dumps(call("ashby_get_candidate", candidate_id=person["id"]))
    assert application in profile
    for tool in ("get_application_details", "get_feedback"):
        call(f"ashby_{tool}", application_id=application)
    call("ashby_archive_application", application_id=application, archive_reason_id=reason)
    call("ashby_call_api", endpoint="candidate.info", params={"id": person["id"]})
    now = next(one for one in sandbox.state["applications"] if one["id"] == application)
    assert now["status"] == "Archived"
    added = {one["id"] for one in sandbox.state["candidates"]} - {one["id"] for one in before["candidates"]}
    return {"added candidates": added}


def reading(call: Call, sandbox: Sandbox) -> dict[str, set[str]]:
    """`ashby-mcp-server`: all its lists.

    Not its single candidates and jobs: it asks for them with `candidateId` and `jobId`, which Ashby's reference lacks.
    """
    sandbox.switch(unknown_members="ignore")
    state = sandbox.state
    found = {"candidates": {one["id"] for one in call("ashby_list_candidates", limit=500)["candidates"]}}
    call("ashby_search_candidates", term=state["candidates"][0]["name"][:5])
    jobs = call("ashby_list_jobs", limit=500)["jobs"]
    call("ashby_search_jobs", term=jobs[0]["title"][:5])
    for tool in ("list_applications", "list_openings", "list_locations", "list_interview_plans", "list_departments",
                 "list_upcoming_interviews"):  # fmt: skip
        call(f"ashby_{tool}")
    return found | {"jobs": {one["id"] for one in jobs}}
