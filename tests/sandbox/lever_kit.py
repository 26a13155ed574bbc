"""A sandbox in a process of its own, asked as a client of Lever asks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

PEOPLE = 60


class Server:
    """A sandbox in a process of its own, with short ways to ask it."""

    def __init__(self, *options: str, people: int = PEOPLE) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--json", "--people", str(people), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.facts = json.loads(self.process.stdout.readline())
        self.session = requests.Session()

    def get(self, path: str, params: object = None, *, key: str = "lever_key", **options: object) -> requests.Response:
        auth = (self.facts[key], "")
        return self.session.get(f"{self.facts['lever_url']}{path}", params=params, auth=auth, timeout=10, **options)

    def bearer(self, *scopes: str) -> dict[str, str]:
        """Headers with an access token for some scopes, which an admin has just allowed."""
        oauth, back = self.facts["lever_oauth"], "https://app.example"
        query = {"client_id": oauth["client_id"], "redirect_uri": back, "response_type": "code"}
        url = oauth["authorize_url"]
        asked = self.session.get(url, params=query | {"scope": " ".join(scopes)}, timeout=10, allow_redirects=False)
        form = {name: oauth[name] for name in ("client_id", "client_secret")} | {"redirect_uri": back}
        form |= {"grant_type": "authorization_code", "code": asked.headers["location"].partition("code=")[2]}
        told = self.session.post(oauth["token_url"], data=form, timeout=10).json()
        return {"Authorization": f"Bearer {told['access_token']}"}

    def told(self, path: str, headers: dict[str, str], params: object = None) -> requests.Response:
        """What a token is answered."""
        url = f"{self.facts['lever_url']}{path}"
        return self.session.get(url, params=params, headers=headers, timeout=10, allow_redirects=False)

    def ashby(self, endpoint: str, body: dict) -> requests.Response:
        auth = (self.facts["ashby_key"], "")
        return self.session.post(f"{self.facts['ashby_url']}/{endpoint}", json=body, auth=auth, timeout=10)

    def control(self, path: str, method: str = "GET", body: object = None) -> object:
        answer = self.session.request(method, f"{self.facts['control_url']}/{path}", json=body, timeout=10)
        return answer.json()

    def walk(self, path: str, params: list[tuple[str, str]] | None = None) -> list[dict]:
        rows: list[dict] = []
        offset: list[tuple[str, str]] = []
        while True:
            answer = self.get(path, [*(params or []), *offset]).json()
            rows += answer["data"]
            if not answer["hasNext"]:
                assert "next" not in answer
                return rows
            offset = [("offset", answer["next"])]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.session.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def one_server(*options: str, people: int = PEOPLE) -> tuple[Any, Any]:
    """Fixtures `running`, one sandbox for a module, and `server`, the same as it began; it must end well."""

    @pytest.fixture(scope="module")
    def running() -> Iterator[Server]:
        one = Server(*options, people=people)
        yield one
        assert one.end() == 0

    @pytest.fixture
    def server(running: Server) -> Server:
        running.control("reset", "POST")
        return running

    return running, server
