"""The rows of the candidate itself: create or adopt, further links, marker and extra fields, tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.mapping.context import Context
from lib.mapping.fields import web_url
from lib.mapping.later import candidate_changes
from lib.mapping.model import MARKERS
from lib.mapping.plan import Body, Chain, link
from lib.mapping.scan import own_words
from lib.mapping.source import Item, clean
from lib.normalize import ms_to_iso

_OWN_MEMBER = {
    "linkedin": ("linkedInUrl", "LinkedIn"),
    "github": ("githubUrl", "GitHub"),
    "website": ("website", "Website"),
}
_SOCIAL = ("Twitter", "Medium", "StackOverflow", "YouTube", "CodePen")


@dataclass(frozen=True)
class Person:
    """One person as dedupe left them; texts are clean, lists are lists."""

    person: str
    contacts: tuple[str, ...]
    row: Mapping[str, Any]
    ashby_id: str

    def text(self, name: str) -> str:
        """One value as clean text; "" when there is none."""
        return clean(self.row.get(name))

    def texts(self, name: str) -> list[str]:
        """One list value as clean texts."""
        value = self.row.get(name)
        items = value if isinstance(value, list | tuple) else list(value) if hasattr(value, "tolist") else []
        return [clean(item) for item in items if clean(item)]

    @property
    def created_ms(self) -> int:
        """The earliest creation of the person's contacts."""
        return int(self.row["created_ms"])


def candidate_rows(chain: Chain, context: Context, person: Person, *, credit: Body) -> list[str]:
    """candidate.create, or the adoption of an existing candidate; returns links that found no other place.

    `credit` holds sourceId and creditedToUserId for people who get no application to carry them.
    """
    gives = f"candidate:{person.person}"
    links, stray = _links(context, person)
    if person.ashby_id:
        body = {"ashbyType": "candidate", "ashbyId": person.ashby_id}
        chain.add("link", "person", person.person, body=body, gives=gives)
        return stray + _fill(chain, context, person, links=links)
    bare = person.person in context.lessons.bare
    body = {"name": _name(context, person), **_addresses(person), **({} if bare else credit)}
    body |= {member: links[kind] for kind, (member, _) in _OWN_MEMBER.items() if kind in links}
    place = {name: person.text(name) for name in ("city", "region", "country") if person.text(name)}
    if place:
        body["location"] = place
    body["createdAt"] = ms_to_iso(_unique_moment(context, person, body))
    social = _social(person)
    made = chain.earlier.get(f"candidate.create/person/{person.person}", body)
    chain.add("candidate.create", "person", person.person, body=made, gives=gives)
    candidate_changes(chain, context, body, social=bool(social))
    if social:
        everything = [{"type": kind, "url": links[name]} for name, (_, kind) in _OWN_MEMBER.items() if name in links]
        chain.add(
            "candidate.update", "person", person.person,
            body={"candidateId": link(gives), "socialLinks": everything + social, "sendNotifications": False},
        )  # fmt: skip
    return stray


def _name(context: Context, person: Person) -> str:
    name = " ".join(person.text("name").split())
    if name:
        return name
    context.lose(
        "contact", "name", lever_id=person.person, treatment="moved changed", where="candidate.name",
        reason="no name in Lever, and Ashby needs one: the contact id stands for it",
    )  # fmt: skip
    return f"No name (Lever {person.person[:8]})"


def _addresses(person: Person) -> Body:
    body: Body = {}
    if person.text("email"):
        body["email"] = person.text("email")
    others = [mail for mail in dict.fromkeys(person.texts("alternate_emails")) if mail != person.text("email")]
    if others:
        body["alternateEmailAddresses"] = others
    if person.text("phone"):
        body["phoneNumber"] = person.text("phone")
    return body


def _links(context: Context, person: Person) -> tuple[dict[str, str], list[str]]:
    """(links Ashby would take, by kind; links it would refuse)."""
    links, stray = {}, []
    for kind in _OWN_MEMBER:
        text = person.text(kind)
        if web_url(text):
            links[kind] = text
        elif text:
            stray.append(text)
            context.lose(
                "opportunity", "links", lever_id=person.person, treatment="moved changed",
                where='candidate field "Lever other links"', reason="not an http(s) address",
            )  # fmt: skip
    return links, stray


def _social(person: Person) -> list[dict[str, str]]:
    value = person.row.get("social")
    items = list(value) if isinstance(value, list | tuple) or hasattr(value, "tolist") else []
    found = [(clean(item.get("type")), clean(item.get("url"))) for item in items]
    return [{"type": kind, "url": url} for kind, url in found if kind in _SOCIAL and web_url(url)]


def _unique_moment(context: Context, person: Person, body: Body) -> int:
    """createdAt, moved by a millisecond where name, address and moment would equal another candidate's."""
    moment, name, mail = person.created_ms, body["name"].casefold(), body.get("email", "")
    while (name, mail, moment) in context.fingerprints:
        moment += 1
    context.fingerprints.add((name, mail, moment))
    if moment != person.created_ms:
        context.lose(
            "contact", "createdAt", lever_id=person.person, treatment="moved changed", where="candidate.createdAt",
            reason="same name and moment as another candidate: moved by a millisecond, so that each can be found again",
        )  # fmt: skip
    return moment


def _fill(chain: Chain, context: Context, person: Person, *, links: Mapping[str, str]) -> list[str]:
    """For an existing candidate: fill what is empty there (policy link_and_fill); else count what stays behind."""
    stands = context.existing.get(person.ashby_id)
    body, left = _missing(person, stands, links)
    if body and context.settings.existing_candidates == "link_and_fill":
        chain.add(
            "candidate.update", "person", person.person,
            body={"candidateId": link(f"candidate:{person.person}"), **body, "sendNotifications": False},
        )  # fmt: skip
    elif body:
        left = sorted({*left, *body})
    for name in left:
        context.lose(
            "contact", name, lever_id=person.person, treatment="archived only", where="raw archive",
            reason="the candidate was in Ashby already; what stands there is not touched",
        )  # fmt: skip
    return []


def _missing(person: Person, stands: Item, links: Mapping[str, str]) -> tuple[Body, list[str]]:
    """(what an update may fill because it is empty in Ashby, what Lever has besides)."""
    body: Body = {}
    left: list[str] = []
    mails = {clean(one.get("value")).casefold() for one in stands.get("emailAddresses") or []}
    new = [mail for mail in [person.text("email"), *person.texts("alternate_emails")] if mail and mail not in mails]
    if new and not mails:
        body["email"] = new[0]
    elif new:
        body["alternateEmail"] = new[0]
    left += ["emails"] * (len(new) > 1)
    if person.text("phone") and not stands.get("phoneNumbers"):
        body["phoneNumber"] = person.text("phone")
    kinds = {clean(one.get("type")) for one in stands.get("socialLinks") or []}
    members = {"linkedin": "linkedInUrl", "github": "githubUrl", "website": "websiteUrl"}
    body |= {members[name]: url for name, url in links.items() if _OWN_MEMBER[name][1] not in kinds}
    left += ["links"] * bool(_social(person))
    return body, left


def other_details(person: Person, opportunities: list[Item]) -> str:
    """Names, headlines and locations of the person's contacts that are not the ones kept, one per line."""
    kept = {name: person.text(name) for name in ("name", "headline", "location")}
    lines = []
    for opportunity in sorted(opportunities, key=lambda item: (item.get("createdAt") or 0, item["id"])):
        contact = opportunity.get("contact")
        contact = contact if isinstance(contact, Mapping) else {}
        place = contact.get("location")
        told = [
            ("name", opportunity.get("name")), ("name", contact.get("name")),
            ("headline", opportunity.get("headline")), ("headline", contact.get("headline")),
            ("location", opportunity.get("location")),
            ("location", place.get("name") if isinstance(place, Mapping) else place),
        ]  # fmt: skip
        lines += [f"{name.capitalize()}: {clean(text)}" for name, text in told if clean(text) not in ("", kept[name])]
    return "\n".join(dict.fromkeys(lines))


def value_row(chain: Chain, person: Person, *, stray: list[str], consent: str, others: str, values: list[Body]) -> None:
    """One customField.setValues: marker, extras, and the answers that decisions put on the candidate."""
    extras = {
        "Lever headline": person.text("headline"),
        "Lever other phones": "; ".join(person.texts("other_phones")),
        "Lever location": person.text("location"),
        "Lever other links": "\n".join(dict.fromkeys([*person.texts("other_links"), *stray])),
        "Lever consent": consent,
        "Lever other details": others,
    }
    own = [(MARKERS["Candidate"], ",".join(person.contacts)), *extras.items()]
    filled = [{"fieldId": link(f"custom_field:Candidate:{title}"), "fieldValue": text} for title, text in own if text]
    body = {"objectId": link(f"candidate:{person.person}"), "objectType": "Candidate", "values": filled + values}
    chain.add("customField.setValues", "person", person.person, body=body)


def tag_rows(chain: Chain, context: Context, person: Person, opportunities: list[Item]) -> None:
    """candidate.addTag for each tag once, and for the tag of the run."""
    titles = [context.settings.run_tag] if context.settings.run_tag else []
    for opportunity in opportunities:
        own = own_words(context.source, context.source.posting(opportunity))
        for text in dict.fromkeys(clean(tag) for tag in opportunity.get("tags") or []):
            title, why = _tag(context, text, automatic=text in own)
            if title:
                titles.append(title)
            treatment = "moved changed" if title else "archived only"
            context.lose(
                "opportunity", "tags", lever_id=opportunity["id"], treatment=treatment,
                where="tag of the candidate" if title else "raw archive", reason=why,
            )  # fmt: skip
    stands = {clean(tag.get("title")) for tag in context.existing.get(person.ashby_id).get("tags") or []}
    for title in sorted(set(titles) - stands):
        body = {"candidateId": link(f"candidate:{person.person}"), "tagId": link(f"tag:{title}")}
        chain.add("candidate.addTag", "person", person.person, body=body, part=title)


def _tag(context: Context, text: str, *, automatic: bool) -> tuple[str, str]:
    """(title on the candidate, or "" ; why)."""
    tag = context.decisions.tags.get(text)
    if tag is None or not tag.title:
        return "", "automatic tag of Lever" if automatic else "verdict drop"
    if automatic and tag.manual_only:
        return "", "automatic tag of Lever"
    same = tag.title == text
    return tag.title, "tags sit on the candidate, not on the application" + ("" if same else "; under another title")
