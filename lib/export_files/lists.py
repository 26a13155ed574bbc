"""Names of stages, reasons, users and postings, as a table has them, made into objects of their lists.

Where a list with ids is in the export, too, a name that only one of its objects bears is that object. Otherwise the
name becomes an object of its own, with an id made from it: what it stands for in Ashby is decided in the tables of
`04_map`, as for every other stage, reason, user and posting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.export_files.scratch import TABLE, Scratch, fold
from lib.export_files.told import Told
from lib.export_files.values import made_id, uuids, yes

Item = dict[str, Any]
MOST_KNOWN = 20_000
LABELS = {"stages": "text", "archive_reasons": "text", "postings": "text", "users": "name"}


class Lists:
    """The short lists of an export, by name."""

    def __init__(self, scratch: Scratch, told: Told) -> None:
        self._scratch, self._told = scratch, told
        self._known: dict[tuple[str, ...], str] = {}  # answers given before; an account has few of each

    def index(self) -> None:
        """Take over what was seen inside of other objects and is in no list; then learn all names."""
        for stream, name in LABELS.items():
            for key, _, body in self._scratch.items(f"seen:{stream}"):
                if not self._scratch.has(stream, key):
                    self._scratch.put(stream, key, "", body)
            for key, _, body in self._scratch.items(stream):
                self._learn(stream, name, key, body)
        self._known.clear()

    def _learn(self, stream: str, name: str, key: str, body: Item) -> None:
        self._scratch.name(stream, str(body.get(name) or ""), key)
        if stream == "users" and isinstance(body.get("email"), str):
            self._scratch.name("user_email", body["email"], key)

    def _made(self, stream: str, body: Item) -> str:
        """Keep an object whose id we made; once."""
        if self._scratch.put(stream, body["id"], "", body, rank=TABLE) == "new":
            self._told.made[stream] += 1
            self._learn(stream, LABELS[stream], body["id"], body)
        return str(body["id"])

    def _once(self, key: tuple[str, ...], find: Callable[[], str]) -> str:
        """An answer that is looked for once while the lists stay as they are."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]

    def stage(self, text: str) -> str:
        """The id of a stage by its name."""
        return self._once(("stage", text), lambda: self._stage(text))

    def _stage(self, text: str) -> str:
        found = self._scratch.named("stages", text)
        return found[0] if len(found) == 1 else self._made("stages", {"id": made_id("stage", fold(text)), "text": text})

    def reason(self, text: str, *, hired: bool) -> str:
        """The id of an archive reason by its name; that it is one of hires is told by its name or by a hire date."""
        hired = hired or fold(text) == "hired"
        return self._once(("reason", text, str(hired)), lambda: self._reason(text, hired=hired))

    def _reason(self, text: str, *, hired: bool) -> str:
        found = self._scratch.named("archive_reasons", text)
        key = made_id("archive_reason", fold(text))
        if len(found) == 1 and found[0] != key:
            return found[0]
        known = self._scratch.get("archive_reasons", key)
        if known is None:
            body = {"id": key, "text": text, "status": "active", "type": "hired" if hired else "non-hired"}
            return self._made("archive_reasons", body)
        if hired and known.get("type") != "hired":
            self._scratch.put("archive_reasons", key, "", known | {"type": "hired"}, rank=TABLE)
        return key

    def user(self, row: Item, role: str) -> str | None:
        """The id of a user whom a row names in a role (owner, author, ...): by address, else by name."""
        name, email = str(row.get(f"{role}_name") or ""), str(row.get(f"{role}_email") or "")
        if "@" in name and not email:
            name, email = "", name
        if not name and not email:
            return None
        return self._once(("user", name, email), lambda: self._user(name, email))

    def _user(self, name: str, email: str) -> str:
        found = self._scratch.named("user_email", email) if email else self._scratch.named("users", name)
        if len(found) == 1:
            return found[0]
        body = {
            "id": made_id("user", "email", fold(email)) if email else made_id("user", "name", fold(name)),
            "name": name or email.partition("@")[0], "email": email or None,
            "username": email.partition("@")[0] or None, "deactivatedAt": None,
        }  # fmt: skip
        return self._made("users", body)

    def template(self, told: str, title: str) -> str:
        """The id of a form's template: the told one, where the export has it; else one made from its title."""
        found = [one for one in uuids(told) if self._scratch.has("feedback_templates", one)]
        return found[0] if len(found) == 1 else made_id("feedback_template", title.casefold())

    def posting(self, row: Item) -> str:
        """The id of the posting that a row of candidates names; empty when it names none."""
        told = uuids(str(row.get("posting") or "")) or uuids(str(row.get("posting_url") or ""))
        own, title = str(row.get("posting") or "").strip(), str(row.get("posting_title") or "").strip()
        if not told and not own and not title:
            return ""
        where = {name: row.get(f"posting_{name}") or None for name in ("team", "department", "location")}
        if told:
            key = told[0]
        elif own:
            key = made_id("posting", "id", own)
        else:
            key = self._by_title(title, where)
        if title and not self._scratch.has("postings", key):  # one without a title is as one that is in no list
            body = {"id": key, "text": title, "categories": where | {"commitment": None}}
            body |= {"owner": self.user(row, "posting_owner"), "tags": []}
            self._scratch.put("postings", key, "", body, rank=TABLE)
            self._told.made["postings"] += not told
            if told or own:  # one that is made from its title is found by its words, and must not stand for others
                self._scratch.name("postings", body["text"], key)
        return key

    def _by_title(self, title: str, where: Item) -> str:
        """A posting by title, and by team, department and place where several bear it; else one of its own."""
        found = self._scratch.named("postings", title)
        if len(found) > 1:
            found = [one for one in found if self._fits(one, where)]
        if len(found) == 1 and self._fits(found[0], where):
            return found[0]
        return made_id("posting", fold(title), *(fold(str(where[name] or "")) for name in sorted(where)))

    def _fits(self, key: str, where: Item) -> bool:
        """Whether nothing that the row says of the posting is otherwise with this one."""
        known = (self._scratch.get("postings", key) or {}).get("categories") or {}
        return all(
            not text or not known.get(name) or fold(str(known[name])) == fold(text) for name, text in where.items()
        )


def user_of(row: Item) -> Item:
    """A row of a table of users, as the API's object."""
    email = str(row.get("email") or "")
    told = uuids(str(row.get("id") or ""))
    deactivated = row.get("deactivated")
    if not isinstance(deactivated, int):
        gone = (
            yes(str(deactivated)) if deactivated else yes(str(row["active"])) is False if row.get("active") else False
        )
        gone = gone or fold(str(row.get("active") or "")) in ("deactivated", "inactive")
        deactivated = row.get("created") or 0 if gone else None
    return {
        "id": told[0] if told else made_id("user", "email", fold(email)), "name": row.get("name") or email,
        "email": email, "username": email.partition("@")[0], "accessRole": row.get("role"),
        "createdAt": row.get("created"), "deactivatedAt": deactivated, "jobTitle": row.get("title"),
    }  # fmt: skip


def posting_of(row: Item, lists: Lists) -> Item:
    """A row of a table of postings, as the API's object."""
    told = uuids(str(row.get("id") or ""))
    state = fold(str(row.get("state") or ""))
    made = {
        "id": told[0] if told else made_id("posting", "id", str(row.get("id") or "").strip()), "text": row["text"],
        "state": {"active": "published", "open": "published", "unlisted": "internal"}.get(state, state) or None,
        "categories": {name: row.get(name) for name in ("team", "department", "location", "commitment")},
        "owner": lists.user(row, "owner"), "hiringManager": lists.user(row, "manager"), "createdAt": row.get("created"),
        "updatedAt": row.get("updated"), "country": row.get("country"), "tags": [],
        "requisitionCodes": [one.strip() for one in str(row.get("requisitions") or "").split(",") if one.strip()],
    }  # fmt: skip
    return made | confidentiality(row)


def confidentiality(row: Item) -> Item:
    """The attribute, where the table says it; a word that is neither yes nor no counts as confidential."""
    if row.get("confidential") is None:
        return {}
    return {"confidentiality": "non-confidential" if yes(str(row["confidential"])) is False else "confidential"}
