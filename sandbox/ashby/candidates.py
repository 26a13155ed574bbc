"""``candidate.*`` as a move uses it; tags and the rest are in ``candidates_more``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from sandbox.ashby import views
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.notehtml import strip_tags
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Application, Call, Candidate, Json, Note
from sandbox.ashby.state import State, check_in_use, check_references, find, new_id

SEARCH_LIMIT = 100
"""``candidate.search`` returns at most so many and has no paging (vendor contract)."""

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\Z")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-/]{5,24}\Z")


def find_candidate(state: State, candidate_id: str) -> Candidate:
    """Return a candidate or refuse (the code is a guess)."""
    found: Candidate = find(state, "candidates", candidate_id, "candidate_not_found")
    return found


def _check_address(state: State, address: str, member: str) -> str:
    """Refuse what is no address when switch ``email_format`` = ``checked``; by default anything goes (guess)."""
    if not _ADDRESS.match(address) and state.decides("email_format") == "checked":
        raise invalid(f"{member}: must be an e-mail address")
    return address


def _check_phone(state: State, number: str) -> str:
    """Refuse what is no telephone number when switch ``phone_format`` = ``checked`` (validation is not documented)."""
    if not _PHONE.match(number.strip()) and state.decides("phone_format") == "checked":
        raise invalid("phoneNumber: must be a telephone number")
    return number


def _check_unclaimed(state: State, addresses: list[str], owner: str = "") -> None:
    """Refuse another person's address when switch ``duplicate_email`` = ``refuse`` (no such error is documented)."""
    for address in addresses:
        others = state.by_email.get(address.strip().lower(), {}).keys() - {owner}
        if others and state.decides("duplicate_email") == "refuse":
            raise RefusedError("candidate_already_exists", "another candidate has this e-mail address")


def read_place(place: Json) -> Json | None:
    """Turn the written location into the read one (recorded order of the components)."""
    parts = {name: text for name in ("city", "region", "country") if (text := place.get(name, "").strip())}
    if not parts:
        return None
    return {
        "id": new_id(),
        "locationSummary": ", ".join(parts.values()),
        "locationComponents": [
            {"type": kind.capitalize(), "name": parts[kind]} for kind in ("country", "region", "city") if kind in parts
        ],
    }


def _set_link(candidate: Candidate, kind: str, url: str) -> None:
    """Set the link of one type, leaving the others."""
    candidate.links = [link for link in candidate.links if link["type"] != kind] + [{"type": kind, "url": url}]


def create(state: State, body: Json, call: Call) -> Any:
    """Add a candidate; the same address again makes a second one (switch ``duplicate_email``)."""
    check_references(state, body)
    given = [body.get("email", ""), *body.get("alternateEmailAddresses", [])]
    _check_unclaimed(state, [address for address in given if address])
    created = state.past(body.get("createdAt"), "createdAt")
    now = state.now()
    candidate = Candidate(new_id(), body["name"], created, now, now)
    if body.get("email"):
        candidate.email = _check_address(state, body["email"], "email")
    for address in body.get("alternateEmailAddresses", []):
        if address and address != candidate.email and address not in candidate.alternates:
            candidate.alternates.append(_check_address(state, address, "alternateEmailAddresses"))
    if body.get("phoneNumber"):
        candidate.phone = _check_phone(state, body["phoneNumber"])
    for member, kind in (("linkedInUrl", "LinkedIn"), ("githubUrl", "GitHub"), ("website", "Website")):
        if member in body:
            _set_link(candidate, kind, body[member])
    candidate.source = body.get("sourceId")
    candidate.credited = body.get("creditedToUserId")
    candidate.location = read_place(body.get("location", {}))
    state.candidates[candidate.id] = candidate
    state.index(candidate)
    state.touch(candidate.id)
    return views.candidate(state, candidate, call)


def update(state: State, body: Json, call: Call) -> Any:
    """Change a candidate; subscribers are told unless ``sendNotifications`` is false."""
    candidate = find_candidate(state, body["candidateId"])
    check_references(state, body)
    created = state.past(body["createdAt"], "createdAt") if "createdAt" in body else candidate.created_ms
    for member in ("email", "alternateEmail"):
        if body.get(member):
            _check_address(state, body[member], member)
            _check_unclaimed(state, [body[member]], candidate.id)
    if body.get("phoneNumber"):
        _check_phone(state, body["phoneNumber"])
    state.unindex(candidate)
    candidate.created_ms = created
    candidate.name = body.get("name", candidate.name)
    if body.get("email"):
        _replace_email(state, candidate, body["email"])
    extra = body.get("alternateEmail")
    if extra and extra != candidate.email and extra not in candidate.alternates:
        candidate.alternates.append(extra)
    candidate.phone = body.get("phoneNumber") or candidate.phone
    candidate.source = body.get("sourceId", candidate.source)
    candidate.credited = body.get("creditedToUserId", candidate.credited)
    if "location" in body:
        candidate.location = read_place(body["location"])
    _update_links(candidate, body)
    state.index(candidate)
    state.save_candidate(candidate)
    call.notified = body.get("sendNotifications", True)
    shown = views.candidate(state, candidate, call)
    if "sourceId" not in body and shown["source"] and state.decides("write_answers") == "recorded":
        shown["source"] = None
    return shown


def _replace_email(state: State, candidate: Candidate, email: str) -> None:
    """Set the first address; what becomes of the former one is not documented (switch ``replaced_email``)."""
    former, candidate.email = candidate.email, email
    candidate.alternates = [address for address in candidate.alternates if address != email]
    if former and former not in (email, *candidate.alternates) and state.decides("replaced_email") == "alternate":
        candidate.alternates.append(former)


def _update_links(candidate: Candidate, body: Json) -> None:
    """Replace all links by ``socialLinks``; without it set the three single ones (vendor contract)."""
    if "socialLinks" in body:
        candidate.links = [dict(link) for link in body["socialLinks"]]
        return
    for member, kind in (("linkedInUrl", "LinkedIn"), ("githubUrl", "GitHub"), ("websiteUrl", "Website")):
        if member in body:
            _set_link(candidate, kind, body[member])


def info(state: State, body: Json, call: Call) -> Any:
    """Return one candidate; no endpoint sets an external mapping id, so that look-up finds nothing.

    The id of a merged candidate finds nothing, or the one that was kept (switch ``merged_ids``).
    """
    wanted = body.get("id", "")
    while wanted in state.merged and state.decides("merged_ids") == "forward":
        wanted = state.merged[wanted]
    return views.candidate(state, find_candidate(state, wanted), call)


def list_candidates(state: State, body: Json, call: Call) -> Page:
    """List candidates; the bounds compare when they were added (vendor changelog, May 2026).

    Whether a back-dated ``createdAt`` changes that is open (switch ``candidate_added_at`` = ``now``, ``created``).
    """
    return paginate(
        state,
        "candidate.list",
        body=body,
        items=state.candidates.values(),
        render=lambda item: views.candidate(state, item, call),
        keep=within(state, "candidate_added_at", time_window(state, body), now="now"),
        by_id=state.candidates,
        kept=call.key.toggles,
    )


Dated = Candidate | Application


def within(state: State, name: str, window: tuple[int, float], *, now: str) -> Callable[[Dated], bool]:
    """Return the test of a window: by when an object was added where the switch says ``now``, else as back-dated."""
    after, before = window
    by_added = state.switch(name) == now
    if not after and before == float("inf"):
        return lambda item: True

    def test(item: Dated) -> bool:
        added, created = after <= item.added_ms <= before, after <= item.created_ms <= before
        if added != created:
            state.decides(name)
        return added if by_added else created

    return test


def time_window(state: State, body: Json) -> tuple[int, float]:
    """Return the bounds of ``createdAfter`` and ``createdBefore``; contradictory or future ones are refused."""
    after, before = body.get("createdAfter", 0), body.get("createdBefore")
    if before is not None and (before > state.now() or after > before):
        raise invalid("createdBefore: in the future or before createdAfter")
    if after > state.now():
        raise invalid("createdAfter: in the future")
    return after, float("inf") if before is None else before


def search(state: State, body: Json, call: Call) -> Any:
    """Find candidates by address and name (both: and); how both match is not documented (switches)."""
    found: set[str] | None = None
    if "email" in body:
        found = _addressed(state, body["email"])
    if "name" in body:
        named = _named(state, body["name"])
        found = named if found is None else found & named
    newest = state.now() - state.number("search_delay_ms")
    hits = [state.candidates[key] for key in found or ()]
    seen = [hit for hit in hits if hit.added_ms <= newest and not state.hides(hit.id)]
    if len(seen) < len(hits):
        state.decides("search_delay_ms")
    hits = seen
    hits.sort(key=lambda hit: (hit.added_ms, hit.id))
    return [views.candidate(state, hit, call) for hit in hits[:SEARCH_LIMIT]]


def _addressed(state: State, email: str) -> set[str]:
    """Return ids by address: switch ``search_email`` = ``any``, the ``primary`` one, case and all, or ``fuzzy``."""
    found = set(state.by_email.get(email.strip().lower(), ()))
    how, narrowed, wanted = state.switch("search_email"), found, email.strip().lower()
    if how == "primary":
        narrowed = {key for key in found if (state.candidates[key].email or "").strip().lower() == wanted}
    elif how == "exact":
        narrowed = {key for key in found if email in (state.candidates[key].email, *state.candidates[key].alternates)}
    elif how == "fuzzy":
        narrowed = {key for known, keys in state.by_email.items() if _alike(known, wanted) for key in keys}
    if narrowed != found:
        state.decides("search_email")
    return narrowed


def _alike(known: str, wanted: str) -> bool:
    """Say whether a loose index takes two addresses for one another: a part of the other, or one name at two hosts."""
    plain = [re.sub(r"\+.*|[^a-z0-9]", "", address.partition("@")[0]) for address in (known, wanted)]
    return wanted in known or known in wanted or plain[0] == plain[1]


def _named(state: State, name: str) -> set[str]:
    """Return ids by name: equal, or holding all words when switch ``search_name`` = ``words``."""
    wanted = name.strip().lower()
    equal = set(state.by_name.get(wanted, ()))
    if state.switch("search_name") == "equal":
        return equal
    words = wanted.split()
    found = {key for known, keys in state.by_name.items() if all(word in known for word in words) for key in keys}
    if found != equal:
        state.decides("search_name")
    return found


def add_tag(state: State, body: Json, call: Call) -> Any:
    """Put a tag on a candidate; a repeat changes nothing (switch ``repeat_tag`` = ``double``: it is there twice)."""
    candidate = find_candidate(state, body["candidateId"])
    tag = find(state, "tags", body["tagId"], "tag_not_found")
    check_in_use(state, tag, "tagId")
    if tag["id"] not in candidate.tags or state.decides("repeat_tag") == "double":
        candidate.tags.append(tag["id"])
        state.save_candidate(candidate)
    return views.candidate(state, candidate, call)


def remove_tag(state: State, body: Json, call: Call) -> Any:
    """Take a tag off a candidate; nothing happens when it is not there (vendor changelog)."""
    candidate = find_candidate(state, body["candidateId"])
    find(state, "tags", body["tagId"], "tag_not_found")
    candidate.tags = [tag_id for tag_id in candidate.tags if tag_id != body["tagId"]]
    state.save_candidate(candidate)
    return views.candidate(state, candidate, call)


def _may_be_private(state: State, body: Json, call: Call) -> bool:
    """Say whether a note becomes private; a key without the toggle has three answers (``private_without_toggle``).

    Documented is only that private notes need the toggle, and that lacking permissions come with 403 (vendor guide).
    """
    if not body.get("isPrivate", False) or call.may("private"):
        return bool(body.get("isPrivate", False))
    how = state.decides("private_without_toggle")
    if how == "public":
        return False
    told = "private notes need access to non-offer private fields"
    raise RefusedError("missing_endpoint_permission", told, status=403 if how == "403" else 200)


def create_note(state: State, body: Json, call: Call) -> Any:
    """Add a note by the acting user; HTML loses all but nine tags, plain text stays as it is."""
    candidate = find_candidate(state, body["candidateId"])
    is_private = _may_be_private(state, body, call)
    given = body["note"]
    kind, text = ("text/plain", given) if isinstance(given, str) else (given["type"], given["value"])
    if not text.strip():
        raise invalid("note: must not be blank")
    most = state.number("note_max_chars")
    if most and len(text) > most:
        state.decides("note_max_chars")
        raise invalid("note: too long")
    created = state.past(body.get("createdAt"), "createdAt")
    content = strip_tags(text) if kind == "text/html" else text
    if kind == "text/html" and "\n" in content and state.decides("html_newlines") == "blank":
        content = " ".join(content.split("\n"))
    tidy = "\n".join(line.rstrip() for line in content.splitlines()).strip()
    if tidy != content and state.decides("note_text") == "tidied":
        content = tidy
    by_key = call.actor != state.key_user and state.decides("behalf_author") == "key"
    author = state.key_user if by_key else call.actor
    note = Note(new_id(), created, state.now(), is_private, content, kind, author)
    candidate.notes[note.id] = note
    state.touch(note.id)
    state.save_candidate(candidate)
    call.notified = body.get("sendNotifications", False)
    return views.note(state, note)


def list_notes(state: State, body: Json, call: Call) -> Page:
    """List the notes of a candidate (switch ``note_order``: as ``added``, ``newest`` or by ``created``)."""
    candidate = find_candidate(state, body["candidateId"])
    items: Collection[Note] = candidate.notes.values()
    order = state.switch("note_order")
    if order != "added":
        items = sorted(items, key=lambda note: note.created_ms, reverse=order == "newest")
        if items != list(candidate.notes.values()):
            state.decides("note_order")
    return paginate(
        state,
        "candidate.listNotes",
        body=body,
        items=items,
        render=lambda item: views.note(state, item),
        keep=lambda item: not item.is_private or call.may("private"),
    )


HANDLERS = {
    "candidate.create": create,
    "candidate.update": update,
    "candidate.info": info,
    "candidate.list": list_candidates,
    "candidate.search": search,
    "candidate.addTag": add_tag,
    "candidate.removeTag": remove_tag,
    "candidate.createNote": create_note,
    "candidate.listNotes": list_notes,
}
