"""``webhook.*``, and what registered webhooks would be sent.

Nothing leaves the sandbox: every message is kept, signed, in the outbox (``GET /_sandbox/ashby/outbox``), where a
test reads it. Payloads, names and cascades are those of the vendor's contract; which calls of the API raise them is
mostly not documented.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from sandbox.ashby import views
from sandbox.ashby.checks import invalid, is_url
from sandbox.ashby.records import SEES_ALL, Application, Call, Json
from sandbox.ashby.state import State, find, new_id


def _send(state: State, hook: Json, action: str, data: Json) -> None:
    """Put one signed message into the outbox: HMAC-SHA256 of the raw body, in hex (vendor guide)."""
    body = json.dumps({"action": action, "data": data, "webhookActionId": new_id()}, ensure_ascii=False)
    signature = hmac.digest(hook["secretToken"].encode(), body.encode(), "sha256").hex()
    state.outbox.append(
        {
            "webhookId": hook["id"],
            "requestUrl": hook["requestUrl"],
            "headers": {"Content-Type": "application/json", "Ashby-Signature": f"sha256={signature}"},
            "body": body,
        }
    )


def publish(state: State, action: str, data: Callable[[], Json]) -> None:
    """Tell all enabled webhooks of this kind."""
    for hook in state.webhooks.values():
        if hook["enabled"] and hook["webhookType"] == action:
            _send(state, hook, action, data())


def application(state: State, action: str, item: Application) -> None:
    """Tell that something happened to an application."""
    if state.webhooks:
        call = Call("webhook", SEES_ALL, state.key_user)
        publish(state, action, lambda: {"application": views.application(state, item, call)})


def stage_changed(state: State, item: Application) -> None:
    """Tell of a change of stage: a hire tells three things, any other change two (vendor contract)."""
    if views.status(state, item) == "Hired":
        application(state, "candidateHire", item)
    application(state, "candidateStageChange", item)
    application(state, "applicationUpdate", item)


def _ping(state: State, hook: Json) -> None:
    """Ping on creation and change; a webhook whose ping is not answered is disabled (vendor guide)."""
    _send(state, hook, "ping", {"webhookActionType": "ping"})
    if state.decides("webhook_ping") != "answered":
        hook["enabled"] = False


def create(state: State, body: Json, call: Call) -> Any:
    """Register a webhook."""
    if not is_url(body["requestUrl"]):
        raise invalid("requestUrl: must be a valid Url")
    hook = {
        "id": new_id(),
        "enabled": True,
        **{name: body[name] for name in ("requestUrl", "secretToken", "webhookType")},
    }
    state.webhooks[hook["id"]] = hook
    _ping(state, hook)
    return dict(hook)


def info(state: State, body: Json, call: Call) -> Any:
    """Return one webhook without its secret."""
    hook = find(state, "webhooks", body["webhookId"], "webhook_not_found")
    return {name: value for name, value in hook.items() if name != "secretToken"}


def update(state: State, body: Json, call: Call) -> Any:
    """Change a webhook."""
    hook = find(state, "webhooks", body["webhookId"], "webhook_not_found")
    if not is_url(body.get("requestUrl", "https://a.example")):
        raise invalid("requestUrl: must be a valid Url")
    hook.update({name: body[name] for name in ("enabled", "requestUrl", "secretToken") if name in body})
    if hook["enabled"]:
        _ping(state, hook)
    return dict(hook)


def delete(state: State, body: Json, call: Call) -> Any:
    """Remove a webhook."""
    hook = find(state, "webhooks", body["webhookId"], "webhook_not_found")
    del state.webhooks[hook["id"]]
    return {"webhookId": hook["id"]}


HANDLERS = {"webhook.create": create, "webhook.info": info, "webhook.update": update, "webhook.delete": delete}
