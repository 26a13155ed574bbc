"""Interviews and offers of an opportunity: one dated summary note each. No endpoint writes this history."""

from __future__ import annotations

from lib.mapping.candidacy import Candidacy, Note
from lib.mapping.context import Context
from lib.mapping.source import Item, clean, ident, stamp


def interview_note(context: Context, one: Candidacy) -> list[Note]:
    """One note with all interviews, oldest first; empty when there is none."""
    items = context.source.children("interviews", one.opportunity)
    if not items:
        return []
    for item in items:
        context.account("interview", item, lever_id=item["id"])
        context.lose(
            "interview", "(interview)", lever_id=item["id"], reason="past interviews are not written by API",
            **one.told('"Lever interviews" note'),
        )  # fmt: skip
    if one.withheld:
        return []
    ordered = sorted(items, key=lambda item: (item.get("date") or item.get("createdAt") or 0, item["id"]))
    text = "\n\n".join(_interview(context, item) for item in ordered)
    moment = max(int(item.get("createdAt") or one.opportunity["createdAt"]) for item in items)
    head = f"Lever interviews ({len(items)}), {one.posting}"
    return [one.note(moment, f"Lever interviews {one.lever_id}", of=("interviews", one.lever_id), head=head, text=text)]


def _interview(context: Context, item: Item) -> str:
    minutes = f", {item['duration']} minutes" if item.get("duration") else ""
    canceled = f", canceled {stamp(item['canceledAt'])}" if item.get("canceledAt") else ""
    people = [_interviewer(person) for person in item.get("interviewers") or []]
    facts = [
        ("Interviewers", "; ".join(people)),
        ("Organised by", context.source.who(item["user"]) if ident(item.get("user")) else ""),
        ("Stage", context.source.stage(item["stage"]) if ident(item.get("stage")) else ""),
        ("Location", clean(item.get("location"))),
        ("Time zone", clean(item.get("timezone"))),
        ("Note", clean(item.get("note"))),
    ]
    subject = clean(item.get("subject")) or "(no subject)"
    first = f"{stamp(item.get('date'))}{minutes}: {subject}{canceled}"
    return "\n".join([first, *(f"{title}: {text}" for title, text in facts if text)])


def _interviewer(person: Item) -> str:
    mail = clean(person.get("email"))
    return (clean(person.get("name")) or ident(person)) + (f" <{mail}>" if mail else "")


def offer_note(context: Context, one: Candidacy) -> list[Note]:
    """One private note with all offers, oldest first; nothing but a count when private notes are withheld."""
    items = context.source.children("offers", one.opportunity)
    if not items:
        return []
    withheld = context.settings.secret_notes == "withhold"
    for item in items:
        context.account("offer", item, lever_id=item["id"])
        context.lose(
            "offer", "(offer)", lever_id=item["id"], treatment="never" if withheld else "note",
            where="raw archive" if withheld else '"Lever offers" note, private',
            reason="pay is for few eyes; withheld by policy" if withheld else "offers are not written by API",
        )  # fmt: skip
    if withheld:
        return []
    text = "\n\n".join(_offer(context, item) for item in items)
    moment = max(int(item.get("createdAt") or one.opportunity["createdAt"]) for item in items)
    head = f"Lever offers ({len(items)}), {one.posting}"
    of = ("offers", one.lever_id)
    return [one.note(moment, f"Lever offers {one.lever_id}", of=of, head=head, text=text, private=True)]


def _offer(context: Context, item: Item) -> str:
    creator = f", by {context.source.who(item['creator'])}" if ident(item.get("creator")) else ""
    lines = [f"Offer {item['id']}, {clean(item.get('status')) or 'no status'}, {stamp(item.get('createdAt'))}{creator}"]
    if ident(item.get("posting")):
        lines.append(f"Posting: {context.source.title(ident(item['posting']))}")
    for name, title in (("approvedAt", "Approved"), ("sentAt", "Sent")):
        if item.get(name):
            lines.append(f"{title}: {stamp(item[name])}")
    for field in item.get("fields") or []:
        if field.get("value") not in (None, "", []):
            lines.append(f"{clean(field.get('text')) or clean(field.get('identifier'))}: {_offer_value(field)}")
    for role, signature in sorted((item.get("signatures") or {}).items()):
        lines.append(_signature(role, signature or {}))
    return "\n".join(lines)


def _offer_value(field: Item) -> str:
    """The value as text; a field whose identifier says "date" holds epoch milliseconds (documented example)."""
    value = field["value"]
    is_date = clean(field.get("identifier")).endswith("_date") and isinstance(value, int) and value > 10**11
    return stamp(value)[:10] if is_date else clean(value)


def _signature(role: str, signature: Item) -> str:
    mail = clean(signature.get("email"))
    who = clean(signature.get("name")) + (f" <{mail}>" if mail else "")
    when = f"signed {stamp(signature.get('signedAt'))}" if signature.get("signedAt") else "not signed"
    return f"Signature ({clean(signature.get('role')) or clean(role)}): {who}, {when}"
