"""``offer.list`` and ``offer.info``; making an offer runs an approval flow and is not imitated."""

from __future__ import annotations

from typing import Any

from sandbox.ashby.candidates import time_window
from sandbox.ashby.checks import RefusedError, parse_iso
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, sees_application


def _sees(state: State, offer: Json, call: Call) -> bool:
    return sees_application(state, state.applications[offer["applicationId"]], call)


def _brief(offer: Json) -> Json:
    """Show an offer with its newest version only."""
    return {name: value for name, value in offer.items() if name not in ("versions", "formDefinition")}


def list_offers(state: State, body: Json, call: Call) -> Page:
    """List offers by application, states and time."""
    after, before = time_window(state, body)

    def keep(offer: Json) -> bool:
        version = offer["latestVersion"]
        return (
            _sees(state, offer, call)
            and after <= parse_iso(version["createdAt"]) <= before
            and body.get("applicationId") in (None, offer["applicationId"])
            and offer["offerStatus"] in body.get("offerStatus", [offer["offerStatus"]])
            and offer["acceptanceStatus"] in body.get("acceptanceStatus", [offer["acceptanceStatus"]])
            and version["approvalStatus"] in body.get("approvalStatus", [version["approvalStatus"]])
        )

    return paginate(
        state,
        "offer.list",
        body=body,
        items=state.offers.values(),
        render=_brief,
        keep=keep,
        key=lambda item: item["id"],
    )


def info(state: State, body: Json, call: Call) -> Any:
    """Return one offer with all versions, and its form unless that is not wanted."""
    offer = find(state, "offers", body["offerId"], "offer_not_found")
    if not _sees(state, offer, call):
        raise RefusedError("offer_not_found", "offer not found or not visible to this key")
    if body.get("excludeFormDefinition", False):
        return {name: value for name, value in offer.items() if name != "formDefinition"}
    return offer


HANDLERS = {"offer.list": list_offers, "offer.info": info}
