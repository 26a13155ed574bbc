"""What stands in Ashby against what the truth says must be found again: texts, authors, times, addresses, choices.

Existing candidates keep what stood there: of them only notes, feedback, applications, files and tags are asked.
Left out on purpose: tags Lever sets itself, drafts, deleted records, people who must never load, `javascript:` links.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from reconcile_text import (
    address,
    close,
    day,
    digits,
    in_order,
    is_value,
    milliseconds,
    moment,
    near,
    slug,
    squash,
    words_of,
)

if TYPE_CHECKING:
    from reconcile import World

Json = dict[str, Any]

# What may stand in the sandbox's Ashby for a word of the sandbox's Lever; empty: nothing fits, so a note must tell it.
STAGES = {
    "New lead": "New Lead",
    "Reached out": "Reached Out",
    "Responded": "Replied",
    "New applicant": "Application Review",
    "HM review": "Hiring Manager Review",
    "Recruiter screen": "Recruiter Screen",
    "Phone interview": "Phone Interview",
    "On-site interview": "Onsite",
    "Offer": "Offer",
    "Background check": "Background Check",
}
REASONS = {
    "Position filled": {"Position Filled"},
    "Compensation": {"Compensation Expectations"},
    "Better for another role": {"Better Fit for Another Role"},
    "Underqualified": {"Lacks Skills/Qualifications", "Unresponsive"},
    "No response - OLD": {"Unresponsive"},
    "No response": {"Unresponsive"},
    "Timing": {"Timing"},
    "Withdrew": {"Candidate Withdrew", "Unresponsive"},
    "Offer declined": {"Offer Declined"},
    "Position closed": {"Position Closed"},
}
SOURCES = {
    "Added manually": {"Sourced Manually"},
    "Agency": {"Agency"},
    "Career fair": {"Recruiting Event"},
    "GitHub": {"GitHub"},
    "Indeed": {"Indeed Listings"},
    "Internal": {"Internal Transfer"},
    "Job site": {"Applied"},
    "LinkedIn": {"LinkedIn"},
    "Referral": {"Referral"},
    "Social referral": {"Referral"},
    "https://jobs.board.example/robots": {"Applied"},
}
RUN_TAG = "migrated from lever"


def contents(world: World) -> dict[str, list[str]]:
    """{kind: what is missing or altered}."""
    return {
        "candidates": [text for one in world.new_candidates() for text in _candidate(world, one)],
        "tags": _tags(world),
        "jobs": _jobs(world),
        "histories": [text for one in _loading(world, "opportunities") for text in _history(world, one)],
        "sources": [text for one in _loading(world, "opportunities") for text in _origin(world, one)],
        "applications typed": [text for one in _loading(world, "opportunities") for text in _typed(world, one)],
        "note texts": [text for one in _loading(world, "notes") for text in _note(world, one)],
        "feedback texts": [text for one in _loading(world, "feedback") for text in _feedback(world, one)],
        "answers": _answers(world),
        "interviews": [text for one in _loading(world, "interviews") for text in _interview(world, one)],
        "offers": [text for one in _loading(world, "offers") for text in _offer(world, one)],
        "confidential": _open(world),
    }


def _loading(world: World, kind: str) -> list[Json]:
    return [one for one in world.truth[kind] if not one["expected"].startswith(("never", "draft"))]


def _words(*values: object) -> list[str]:
    return [str(value) for value in values if value not in (None, "")]


# ---- people ------------------------------------------------------------------------------------------------------
def _candidate(world: World, candidate: Json) -> list[str]:
    """One new candidate against its Lever contacts."""
    contacts = [world.contact[one] for one in world.contacts_of(candidate) if one in world.contact]
    if not contacts:
        return []
    name = f"candidate {candidate['id']} ({contacts[0]['id']})"
    names = {squash(one["name"]) for one in contacts}
    found = [] if squash(candidate["name"]) in names else [f"{name}: is named {candidate['name']!r}"]
    extra = squash("\n".join([candidate["name"], *map(str, candidate["customFields"].values())])).casefold()
    extra += "".join(world.text("contact", one["id"], one["id"]) for one in contacts).casefold()
    for title in ("name", "headline", "location"):
        texts = dict.fromkeys(one[title] for one in contacts if squash(one[title]))
        found += [f"{name}: {title} {text!r} is lost" for text in texts if squash(text).casefold() not in extra]
    born = min(one["created"] for one in world.truth["opportunities"] if one["contact"] in world.contacts_of(candidate))
    found += [] if close(milliseconds(candidate["createdAt"]), born) else [f"{name}: createdAt"]
    read = _read(world, candidate)
    found += _consent(candidate, contacts, name) + _addresses(candidate, contacts, name, read["Email"])
    found += _phones(candidate, contacts, name, read["Phone"]) + _links(candidate, contacts, name)
    return found + _parsed(candidate, contacts, name, read)


def _read(world: World, candidate: Json) -> dict[str, set[str]]:
    """What a parser may have read in the résumés that stand at a candidate: it fills what is empty (Ashby's words).

    Position, company and school where Ashby parses at all; an address, a number and a place only where the sandbox was
    told to fill everything. Everything else that Lever does not know is invented.
    """
    how = world.state.get("resume_parsing", "work")
    kinds = {"everything": ("Position", "Company", "School", "Email", "Phone", "City"), "off": ()}
    mine = {file["sha256"] for file in candidate["files"] if file["resume"]}
    says = [one["says"] for one in world.truth["files"] if one["sha256"] in mine]
    found: dict[str, set[str]] = defaultdict(set)
    for kind in kinds.get(how, kinds["everything"][:3]):
        found[kind] = {one[kind] for one in says if kind in one}
    return found


def _parsed(candidate: Json, contacts: list[Json], name: str, read: dict[str, set[str]]) -> list[str]:
    """What no call can write stands there only as a résumé says it, and then it does stand there."""
    found = []
    for kind in ("Position", "Company", "School"):
        value = candidate.get(kind.lower())
        found += [f"{name}: {kind.lower()} {value!r} is nobody's"] if value and value not in read[kind] else []
        found += [f"{name}: {kind.lower()} of the résumé is lost"] if read[kind] and not value else []
    place = (candidate.get("location") or {}).get("locationSummary")
    if place and not any(squash(one["location"]) for one in contacts) and place not in read["City"]:
        found.append(f"{name}: place {place!r} is nobody's")
    return found


def _consent(candidate: Json, contacts: list[Json], name: str) -> list[str]:
    """That somebody agreed to be kept stands in a custom field, with the day on which that ends."""
    given = [one["consent"]["store"] for one in contacts if one["consent"]]
    text = " ".join(str(value) for title, value in candidate["customFields"].items() if "consent" in title.casefold())
    fitting = any(day(one["expiresAt"]) in text if one["expiresAt"] else text for one in given)
    return [f"{name}: consent is lost"] if given and not fitting else []


def _addresses(candidate: Json, contacts: list[Json], name: str, read: set[str]) -> list[str]:
    """One that was read in a résumé may stand where Lever has none."""
    wanted = {address(mail) for one in contacts for mail in one["emails"]}
    have = {address(one["value"]) for one in candidate["emailAddresses"]} - (set() if wanted else read)
    lost = [f"{name}: address {one} is lost" for one in sorted(wanted - have)]
    return lost + [f"{name}: address {one} is nobody's" for one in sorted(have - wanted)]


def _phones(candidate: Json, contacts: list[Json], name: str, read: set[str]) -> list[str]:
    """A number may have gained the code of its country in front, nothing else; as of addresses one may be read."""
    texts = [one["value"] for one in candidate["phoneNumbers"]]
    texts += str(candidate["customFields"].get("Lever other phones") or "").replace(";", "\n").splitlines()
    have = [digits(text) for text in texts if digits(text)]
    wanted = dict.fromkeys(digits(phone) for one in contacts for phone in one["phones"] if digits(phone))
    have = have if wanted else [text for text in have if text not in map(digits, read)]
    lost = [f"{name}: phone {one} is lost" for one in wanted if not any(_same_phone(it, one) for it in have)]
    return lost + [f"{name}: phone {one} is nobody's" for one in have if not any(_same_phone(one, w) for w in wanted)]


def _same_phone(stands: str, wanted: str) -> bool:
    return stands.endswith(wanted) and len(stands) - len(wanted) <= 3


def _links(candidate: Json, contacts: list[Json], name: str) -> list[str]:
    """Each link among the links (by domain and path) or, as it was written, in a custom field."""
    have = {slug(one["url"]) for one in candidate["socialLinks"]}
    extra = squash("\n".join(str(value) for value in candidate["customFields"].values()))
    wanted = dict.fromkeys(link for one in contacts for link in one["links"])
    return [
        f"{name}: link {link!r} is lost"
        for link in wanted
        if slug(link) not in have and squash(link) not in extra and not link.startswith("javascript:")
    ]


def _tags(world: World) -> list[str]:
    """Tags people set stand on the candidate; a new candidate carries no tag that Lever did not have."""
    found = []
    known: dict[str, set[str]] = defaultdict(set)
    for one in _loading(world, "opportunities"):
        for candidate in world.of_contact[one["contact"]]:
            have = {tag.casefold() for tag in candidate["tags"]}
            known[candidate["id"]].update(tag.casefold() for tag in one["all_tags"])
            found += [
                f"opportunity {one['id']}: tag {tag!r} is lost" for tag in one["tags"] if tag.casefold() not in have
            ]
    for candidate in world.new_candidates():
        for tag in candidate["tags"]:
            if tag.casefold() not in known[candidate["id"]] | {RUN_TAG}:
                found.append(f"candidate {candidate['id']}: tag {tag!r} is invented")
    return found


# ---- candidacies -------------------------------------------------------------------------------------------------
def _jobs(world: World) -> list[str]:
    """Each application stands on the job of its posting: a job that was there already, or one of the same title."""
    found = []
    jobs = {job["id"]: job for job in world.state["jobs"]}
    for one in _loading(world, "opportunities"):
        for application in world.of_opportunity[one["id"]]:
            job = jobs[application["jobId"]]
            if one["posting"] not in str(job["customFields"].get("Lever posting ID")).split(","):
                found.append(f"opportunity {one['id']}: stands on the job of another posting, not of {one['title']!r}")
            elif job["id"] not in world.old["jobs"] and job["title"] != one["title"]:
                found.append(f"opportunity {one['id']}: its job is called {job['title']!r}, not {one['title']!r}")
            if application["candidateId"] not in {it["id"] for it in world.of_contact[one["contact"]]}:
                found.append(f"opportunity {one['id']}: stands at another candidate")
    return found


def _history(world: World, one: Json) -> list[str]:
    """Each step stands in the history at its time and in its stage; the note of the candidacy tells what cannot."""
    name, text = f"opportunity {one['id']}", _own_note(world, one)
    applications = world.of_opportunity[one["id"]][:1]
    events = [(milliseconds(it["enteredStageAt"]), it["title"]) for own in applications for it in own["history"]]
    found, before = [], None
    for step in one["path"]:
        title = STAGES.get(step["stage"])
        late = one["archived_at"] is not None and step["at"] > one["archived_at"]
        if applications and title and title != before and not late:
            before = title
            if not any(close(at, step["at"]) and title == it for at, it in events):
                found.append(f"{name}: step to {step['stage']!r} at {moment(step['at'])} is not in its history")
            if not step["by"]:
                continue
        if not near(text, moment(step["at"]), _words(step["stage"], step["by"]), within=120):
            found.append(f"{name}: step to {step['stage']!r} at {moment(step['at'])} by {step['by']} is not told")
    true = [(step["at"], STAGES.get(step["stage"])) for step in one["path"]]
    true += [(one["archived_at"], _closed_as(one))] if one["reason"] else []
    for at, title in events:
        if not any(close(at, when) and title == it for when, it in true):
            found.append(f"{name}: event {title!r} is invented")
    return found + _end(world, one, text, name)


def _closed_as(one: Json) -> str:
    return "Hired" if one["reason"]["type"] == "hired" else "Archived"


def _numbers(*values: int | None) -> list[int]:
    return [value for value in values if value is not None]


def _end(world: World, one: Json, text: str, name: str) -> list[str]:
    """How the candidacy ended: status, reason, time."""
    if not one["reason"]:
        return []
    reason, wanted = one["reason"]["text"], _closed_as(one)
    for application in world.of_opportunity[one["id"]][:1]:
        found = [] if application["status"] == wanted else [f"{name}: is {application['status']}, not {wanted}"]
        given = (application["archiveReason"] or {}).get("text")
        if wanted == "Archived" and given not in REASONS[reason]:
            found.append(f"{name}: archived for {given!r}, not {reason!r}")
        return found
    return [] if near(text, moment(one["archived_at"]), [reason], within=120) else [f"{name}: its end is lost"]


def _own_note(world: World, one: Json) -> str:
    """The notes that tell of a candidacy itself."""
    return world.text("history", one["id"], one["contact"]) + world.text("opportunity", one["id"], one["contact"])


def _origin(world: World, one: Json) -> list[str]:
    """Sources, and the people behind the candidacy, on the application or in the note of the candidacy."""
    name, text = f"opportunity {one['id']}", _own_note(world, one)
    application = (world.of_opportunity[one["id"]] or [{}])[0]
    given = (application.get("source") or {}).get("title")
    fitting = [source for source in one["sources"] if given in SOURCES.get(source, ())]
    found = [f"{name}: source {given!r} is none of {one['sources']}"] if given and not fitting else []
    for source in one["sources"]:
        if source not in fitting and squash(source) not in text:
            found.append(f"{name}: source {source!r} is lost")
    fields = {str(value).casefold() for value in (application.get("customFields") or {}).values()}
    is_told = one["origin"] in fields if application else squash(f"Origin: {one['origin']}") in text
    if not is_told:  # an application says it in a field of its own, whatever its notes say
        found.append(f"{name}: origin {one['origin']!r} is lost")
    user = application.get("creditedToUser") or {}
    credited = (f"{user.get('firstName')} {user.get('lastName')}", user.get("email"))
    for role in ("owner", "sourced_by"):
        known_as = {one[role], world.truth["user_addresses"].get(one[role])} - {None}  # one has another name in Ashby
        known_as |= set(world.truth.get("former_names", {}).get(one[role], ()))
        if one[role] and not known_as.intersection(credited) and squash(one[role]) not in text:
            found.append(f"{name}: {role} {one[role]!r} is lost")
    if not application and one["title"] and squash(one["title"]) not in text:
        found.append(f"{name}: posting {one['title']!r} is lost")
    return found


def _typed(world: World, one: Json) -> list[str]:
    """What the candidate typed when applying."""
    text = world.text("form", one["application"] or "", one["contact"])
    wanted = _words(one["company"], one["comments"])
    return [f"opportunity {one['id']}: {lost!r} is lost" for lost in in_order(text, wanted)]


# ---- texts -------------------------------------------------------------------------------------------------------
def _note(world: World, one: Json) -> list[str]:
    """Every comment of a thread with author, time, score and text, at the right candidate, dated as the first."""
    name, text = f"note {one['id']}", world.text("note", one["id"], world.opportunity[one["opportunity"]]["contact"])
    wanted = [word for it in one["comments"] for word in _words(it["author"], moment(it["at"]), it["text"])]
    found = [f"{name}: {lost[:40]!r} is lost" for lost in in_order(text, wanted)]
    scores = Counter(it["score"] for it in one["comments"] if it["score"] is not None)
    found += [f"{name}: score {it} is lost" for it, n in scores.items() if text.count(f"score{it}") < n]
    for note in world.notes["note", one["id"]]:
        if not close(milliseconds(note["createdAt"]), one["comments"][0]["at"]):
            found.append(f"{name}: stands at {note['createdAt']}")
    return found


def _feedback(world: World, one: Json) -> list[str]:
    """Author, time, form and every answer, on an application of the same candidacy or of a repeat of it."""
    name, opportunity = f"feedback {one['id']}", world.opportunity[one["opportunity"]]
    text = world.text("feedback", one["id"], opportunity["contact"])
    mine = {opportunity["id"], *opportunity["repeats"]}
    for form in world.forms[one["id"]]:
        text += world.as_called_now(squash("\n".join(str(value) for value in form["answers"].values())))
        if form["opportunity"] not in mine:
            return [f"{name}: stands on the application of {form['opportunity']}"]
    found = [
        f"{name}: {it!r} is lost"
        for it in _words(one["form"], one["author"], moment(one["at"]))
        if squash(it) not in text
    ]
    return found + [
        f"{name}: answer to {it['question']!r} is lost" for it in one["answers"] if in_order(text, words_of(it))
    ]


def _answers(world: World) -> list[str]:
    """Answers of forms: in the note of the form, or in the one custom field that holds the answers to that question."""
    found, fields = [], defaultdict(list)
    for one in [*_loading(world, "forms"), *_loading(world, "questions")]:
        contact = world.opportunity[one["opportunity"]]["contact"]
        key = one["id"] or one["opportunity"]
        text = world.text("form", key, contact)
        untold = [answer for answer in one["answers"] if in_order(text, words_of(answer))]
        if len(untold) < len(one["answers"]):
            lost = [it for it in _words(one["author"], moment(one["at"])) if squash(it) not in text]
            found += [f"form {key}: {it!r} is lost" for it in lost]
        if one["secret"]:
            found += [f"form {key}: secret answer to {it['question']!r} is not in its note" for it in untold]
            found += [f"form {key}: is secret and stands open"] * world.stands_open("form", key)
            continue
        for answer in untold:
            homes = {title for title, value in world.fields_of(one["opportunity"]) if is_value(answer, value)}
            fields[one["form"], answer["question"]].append((key, homes))
    for (form, question), places in fields.items():
        homes = Counter(title for _, titles in places for title in titles).most_common(1)
        field = homes[0][0] if homes else None
        found += [
            f"form {key} ({form}): answer to {question!r} is lost" for key, titles in places if field not in titles
        ]
    return found


def _interview(world: World, one: Json) -> list[str]:
    text = world.text("interviews", one["opportunity"], world.opportunity[one["opportunity"]]["contact"])
    canceled = moment(one["canceled"]) if one["canceled"] else None
    people = [world.as_called_now(squash(name)) for name in one["interviewers"]]
    facts = _words(one["subject"], one["duration"], canceled, *people, one["organiser"], one["stage"])
    stands = near(text, moment(one["date"]), facts + _words(one["location"], one["note"]), within=500)
    return [] if stands else [f"interview {one['id']} of {moment(one['date'])} is lost"]


def _offer(world: World, one: Json) -> list[str]:
    """State, dates, fields and signatures in a private note."""
    name = f"offer {one['id']}"
    text = world.text("offers", one["opportunity"], world.opportunity[one["opportunity"]]["contact"])
    times = [moment(at) for at in _numbers(one["created"], one["approved"], one["sent"])]
    found = [
        f"{name}: {it!r} is lost" for it in _words(one["status"], one["creator"], *times) if squash(it) not in text
    ]
    for field in one["fields"]:
        value = day(field["value"]) if field["date"] else str(field["value"])
        found += (
            [] if near(text, field["text"], [value], within=len(squash(value)) + 3) else [f"{name}: {field['text']}"]
        )
    for it in one["signatures"]:
        found += (
            []
            if near(text, world.as_called_now(squash(it["name"])), [moment(it["at"])], within=100)
            else [f"{name}: signature of {it['name']}"]
        )
    return found + [f"{name} stands open"] * world.stands_open("offers", one["opportunity"])


def _open(world: World) -> list[str]:
    """Notes stand on the candidate, where everybody reads them: those of confidential candidacies must be private."""
    hidden = {one["id"] for one in world.truth["opportunities"] if one["confidential"]}
    keys = [(kind, one) for one in hidden for kind in ("history", "opportunity", "interviews", "offers", "form")]
    for kind, name in (("notes", "note"), ("forms", "form"), ("questions", "form"), ("feedback", "feedback")):
        keys += [(name, one["id"]) for one in world.truth[kind] if one["opportunity"] in hidden and one["id"]]
    keys += [("form", one["application"]) for one in world.truth["opportunities"] if one["confidential"]]
    return [f"{kind} {one} is confidential and stands open" for kind, one in keys if world.stands_open(kind, one)]
