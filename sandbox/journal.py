"""The log of every call the sandbox answered: what tests and the lead look at afterwards."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any


class Journal:
    """Counts and records calls; cheap enough for every request."""

    def __init__(self, *, keep: int = 200_000) -> None:
        """Start empty; at most ``keep`` full records are held (the counters never stop)."""
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.records: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.unknown_params: list[dict[str, Any]] = []
        self.unknown_paths: list[dict[str, Any]] = []
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.faulted: Counter[str] = Counter()
        self._per_second: dict[str, Counter[int]] = {}
        self.total = 0
        self.notified = 0
        self.writes = 0
        self.throttled = 0

    def add(
        self,
        api: str,
        endpoint: str,
        status: int,
        *,
        write: bool = False,
        notified: bool = False,
        note: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Record one answered call.

        ``write``: the call changed state. ``notified``: a real system would have mailed or started something.
        """
        self.total += 1
        self.by_endpoint[f"{api}.{endpoint}"] += 1
        self.by_status[f"{api}.{status}"] += 1
        self.notified += notified
        self.writes += write
        self.throttled += status == 429
        now = time.time()
        self._per_second.setdefault(api, Counter())[int(now)] += 1
        if len(self.records) < self._keep:
            record: dict[str, Any] = {"at": round(now, 4), "api": api, "endpoint": endpoint, "status": status}
            if write:
                record["write"] = True
            if notified:
                record["notified"] = True
            if note is not None:
                record["note"] = note
            if request_id is not None:
                record["request_id"] = request_id
            self.records.append(record)

    def reject(self, api: str, endpoint: str, reason: str) -> None:
        """Record a request body (or parameter) that was refused, with the reason in words."""
        self.rejected.append({"api": api, "endpoint": endpoint, "reason": reason})

    def unknown_param(self, api: str, endpoint: str, name: str) -> None:
        """Record a query parameter the API does not know (it was ignored)."""
        self.unknown_params.append({"api": api, "endpoint": endpoint, "name": name})

    def unknown_path(self, api: str, path: str) -> None:
        """Record a path that does not exist."""
        self.unknown_paths.append({"api": api, "path": path})

    def fault(self, effect: str) -> None:
        """Count a planted fault that was let loose."""
        self.faulted[effect] += 1

    def summary(self, *, full: bool = False) -> dict[str, Any]:
        """Return the counters, and with ``full`` the records as well."""
        answer: dict[str, Any] = {
            "total": self.total,
            "by_endpoint": dict(sorted(self.by_endpoint.items())),
            "by_status": dict(sorted(self.by_status.items())),
            "notified": self.notified,
            "writes": self.writes,
            "throttled": self.throttled,
            "rejected_bodies": list(self.rejected),
            "unknown_params": list(self.unknown_params),
            "unknown_paths": list(self.unknown_paths),
            "faults": dict(self.faulted),
            "max_per_second": {api: max(seconds.values()) for api, seconds in sorted(self._per_second.items())},
        }
        if full:
            answer["records"] = list(self.records)
        return answer
