"""How an admin of Lever consents: the address to open, and what stands in the one that Lever sends the browser to.

Parameters and audience: hire.sandbox.lever.co/developer/oauth; `error` in place of a code: RFC 6749, 4.1.2.1.
"""

from __future__ import annotations

import hmac
import json
import secrets
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from lib.disk import disk_errors, replaced
from lib.errors import ConfigError, UnauthorizedError
from lib.transport import plain_code

NAME = "lever-consent.json"
BEGIN = "Open the address that `workbook connect` prints, and paste the whole address of the page it ends at."


def new_state() -> str:
    """A word that nobody can guess, and by which an answer is known as the answer to our own question."""
    return secrets.token_urlsafe(32)


def authorize_url(url: str, *, client_id: str, redirect_uri: str, state: str, audience: str, scopes: list[str]) -> str:
    """The address at which an admin of Lever is asked for consent."""
    asked = {
        "client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code", "state": state,
        "audience": audience, "scope": " ".join(scopes),
    }  # fmt: skip
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def code_in(address: str, *, redirect_uri: str, state: str) -> str:
    """The code in a pasted address. ConfigError when it is no answer to our question, UnauthorizedError for a "no"."""
    given, ours = _parts(address.strip().strip("<>\"'")), _parts(redirect_uri)
    if (given.scheme, given.netloc, given.path or "/") != (ours.scheme, ours.netloc, ours.path or "/"):
        raise ConfigError("This is not the address to which Lever sends the browser back.", hint=BEGIN)
    words = {name: values[-1] for name, values in parse_qs(given.query, keep_blank_values=True).items()}
    if not hmac.compare_digest(words.get("state", "").encode(), state.encode()):
        raise ConfigError("This address answers another question than ours (its state differs).", hint=BEGIN)
    if "error" in words:
        code = plain_code(words["error"])
        raise UnauthorizedError(f"The consent was not given ({code or 'refused'}).", hint=BEGIN, code=code)
    if not words.get("code"):
        raise ConfigError("This address holds no code.", hint=BEGIN)
    return words["code"]


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def kept_state(folder: Path, question: str) -> str:
    """The state of the question that is open in `folder`; a new one when none is, or when it asked something else.

    It outlives the process: whoever consents may do so later, on another machine, and send the address.
    """
    path = folder / NAME
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["question"] == question and isinstance(kept["state"], str) and kept["state"]:
            return kept["state"]
    except (OSError, ValueError, TypeError, KeyError):  # none, or a damaged one: a new question costs nothing
        pass
    state = new_state()
    with disk_errors(path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replaced(path) as file:
        json.dump({"question": question, "state": state}, file)
    return state


def answered(folder: Path) -> None:
    """The question is not open any more."""
    (folder / NAME).unlink(missing_ok=True)
