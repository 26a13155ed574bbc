"""``report.*``: two reports an admin made, counted when asked, with the limits of the vendor's contract."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from sandbox.ashby import views
from sandbox.ashby.checks import RefusedError
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, iso, new_id

STARTS_PER_MINUTE = 15
"""Started reports a minute, both endpoints and all keys together (vendor contract)."""

AT_ONCE = 3
"""Reports that may run at the same time (vendor contract)."""

LONGEST = 30
"""Nothing runs for longer, looked at or not: seconds until a synchronous report is given up (vendor contract)."""


def _start(state: State) -> None:
    """Count a start, or refuse with 429."""
    now = time.monotonic()
    state.report_starts = [at for at in state.report_starts if now - at < 60]
    if len(state.report_starts) >= STARTS_PER_MINUTE:
        raise RefusedError("rate_limit_exceeded", "Report limit exceeded. Please try again later.", status=429)
    if sum(begun is not None and now - begun < LONGEST for _, begun in state.report_runs.values()) >= AT_ONCE:
        raise RefusedError("concurrent_limit_exceeded", "Too many reports are running.", status=429)
    state.report_starts.append(now)


def _data(state: State, report_id: str, body: Json) -> Json:
    """Count: applications by job and status, or candidates by source."""
    kind = find(state, "reports", report_id, "report_not_found")
    if kind == "applications":
        columns = ["Job", "Status", "Applications"]
        pairs = ((state.jobs[item.job].title, views.status(state, item)) for item in state.applications.values())
        rows = [[*pair, number] for pair, number in sorted(Counter(pairs).items())]
    else:
        columns = ["Source", "Candidates"]
        titles = (
            "" if item.source is None else state.sources[item.source]["title"] for item in state.candidates.values()
        )
        rows = [[title, number] for title, number in sorted(Counter(titles).items())]
    data = [columns, *rows] if body.get("includeHeadersInData", True) else rows
    now = iso(state.now())
    metadata = {
        "title": kind,
        "updatedAt": now,
        "reportGeneratedAt": now,
        "cacheExpiresAt": iso(state.now() + 3_600_000),
    }
    return {"data": data, "columnNames": columns, "metadata": metadata}


def _result(request_id: str, status: str, data: Json | None) -> Json:
    return {"requestId": request_id, "status": status, "reportData": data, "failureReason": None}


def synchronous(state: State, body: Json, call: Call) -> Any:
    """Return a report at once."""
    find(state, "reports", body["reportId"], "report_not_found")
    _start(state)
    return _result(f"rep_result:{new_id()}", "complete", _data(state, body["reportId"], body))


def generate(state: State, body: Json, call: Call) -> Any:
    """Start a report, or with ``requestId`` look whether it is ready (switch ``report_seconds``)."""
    find(state, "reports", body["reportId"], "report_not_found")
    request_id = body.get("requestId")
    if request_id is None:
        _start(state)
        made = f"rep_result:{new_id()}"
        state.report_runs[made] = (body["reportId"], time.monotonic())
        return _result(made, "in_progress", None)
    report_id, begun = state.report_runs.get(request_id, ("", None))
    if report_id != body["reportId"]:
        raise RefusedError("report_request_not_found", "requestId: no such request of this report")
    if begun is not None and time.monotonic() - begun < state.number("report_seconds"):
        state.decides("report_seconds")
        return _result(request_id, "in_progress", None)
    state.report_runs[request_id] = (report_id, None)
    return _result(request_id, "complete", _data(state, body["reportId"], body))


HANDLERS = {"report.synchronous": synchronous, "report.generate": generate}
