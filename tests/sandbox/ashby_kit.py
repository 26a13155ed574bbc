"""Calls the Ashby side of the sandbox in process: no port, no thread, no HTTP library."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox import ashby, settings
from sandbox.company import build
from sandbox.journal import Journal

Json = dict[str, Any]


@dataclass
class Answer:
    """Status, headers (lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body read as JSON."""
        return json.loads(self.body)


class Desk:
    """A small sandbox and the calls tests make to it."""

    def __init__(self, *, people: int = 30, limits: str = "off", **switches: str) -> None:
        self.settings = settings.bind(
            settings.make(seed=7, people=people, limits=limits, instance="test"), "http://127.0.0.1:9"
        )
        self.settings.switches.update(switches)
        self.journal = Journal()
        self.company = build(seed=7, people=people)
        self.side = ashby.create(self.company, settings=self.settings, journal=self.journal)
        self.app = Starlette(
            routes=[
                Mount("/ashby", routes=self.side.routes),
                Mount("/storage", routes=self.side.storage_routes),
                Mount("/_sandbox/ashby", routes=self.side.control_routes),
            ]
        )

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send one request to the app."""
        return asyncio.run(self._send(method, path, body, headers))

    async def at_once(self, endpoint: str, count: int) -> list[Answer]:
        """Send the same call several times at the same moment."""
        token = base64.b64encode(f"{self.settings.ashby_key}:".encode()).decode()
        headers = {"authorization": f"Basic {token}", "content-type": "application/json"}
        calls = [self._send("POST", f"/ashby/{endpoint}", b"{}", headers) for _ in range(count)]
        return await asyncio.gather(*calls)

    async def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": raw, "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 9), "client": None,
            "root_path": "",
        }  # fmt: skip
        sent: list[Json] = []

        async def receive() -> Json:
            return {"type": "http.request", "body": body, "more_body": False}

        async def push(message: Json) -> None:
            sent.append(message)

        await self.app(scope, receive, push)
        found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(item.get("body", b"") for item in sent[1:]))

    def ask(self, endpoint: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        """POST a JSON body with a key."""
        data = json.dumps({} if body is None else body).encode()
        return self.ask_raw(endpoint, data, "application/json", key=key, **headers)

    def ask_raw(self, endpoint: str, data: bytes, kind: str, *, key: str | None = None, **headers: str) -> Answer:
        """POST a body of any content type with a key."""
        token = base64.b64encode(f"{key or self.settings.ashby_key}:".encode()).decode()
        headers = {"authorization": f"Basic {token}", "content-type": kind, **headers}
        return self.send("POST", f"/ashby/{endpoint}", data, **headers)

    def ok(self, endpoint: str, **body: Any) -> Any:
        """Return the results of a call that must succeed."""
        answer = self.ask(endpoint, body).json
        assert answer.get("success", True) is True, (endpoint, answer)
        return answer["results"]

    def refused(self, endpoint: str, **body: Any) -> str:
        """Return the code of a call that must fail with HTTP 200."""
        answer = self.ask(endpoint, body)
        assert answer.status == 200
        assert answer.json["success"] is False, (endpoint, body)
        return answer.json["errorInfo"]["code"]

    def pages(self, endpoint: str, **body: Any) -> tuple[list[Any], str | None]:
        """Walk a list to its end; return all results and the sync token of the last page."""
        results: list[Any] = []
        extra: Json = {}
        while True:
            answer = self.ask(endpoint, {**body, **extra}).json
            assert answer["success"] is True, answer
            results += answer["results"]
            if not answer["moreDataAvailable"]:
                return results, answer.get("syncToken")
            extra = {"cursor": answer["nextCursor"]}

    def control(self, action: str, body: Any = None, *, method: str = "POST") -> Any:
        """Call a control address; return its JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        return self.send(method, f"/_sandbox/ashby/{action}", data, **{"content-type": "application/json"}).json

    def upload(self, context: str, name: str, data: bytes) -> str:
        """Reserve and send a file; return its handle."""
        slot = self.ok(
            "file.createFileUploadHandle",
            fileUploadContext=context,
            filename=name,
            contentType="application/pdf",
            contentLength=len(data),
        )
        assert self.post_form(slot["fields"], data).status == 204
        return slot["handle"]

    def post_form(self, fields: dict[str, str], data: bytes, *, file_first: bool = False, **headers: str) -> Answer:
        """POST a multipart form to storage."""
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()
        ]
        file = (
            b'Content-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: application/pdf\r\n\r\n' + data
        )
        parts = [file, *parts] if file_first else [*parts, file]
        body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
        return self.send(
            "POST", "/storage/ashby/upload", body, **{"content-type": "multipart/form-data; boundary=edge", **headers}
        )

    def stage(self, kind: str, *, plan: str = "Standard hiring", at: int = 0) -> Json:
        """Return a stage of a plan by its type."""
        plan_id = next(item["id"] for item in self.ok("interviewPlan.list") if item["title"] == plan)
        stages = self.ok("interviewStage.list", interviewPlanId=plan_id)
        return [item for item in stages if item["type"] == kind][at]

    def job(self) -> Json:
        """Return the first open job, which has the standard plan."""
        return self.ok("job.list", status=["Open"])[0]

    def reason(self) -> str:
        """Return an archive reason in use."""
        return self.ok("archiveReason.list")[0]["id"]

    def candidate(self, name: str = "Nova Example", **body: Any) -> Json:
        """Create a candidate."""
        return self.ok("candidate.create", name=name, **body)

    def application(self, **body: Any) -> Json:
        """Create an application of a new candidate on the open job."""
        return self.ok("application.create", candidateId=self.candidate()["id"], jobId=self.job()["id"], **body)
