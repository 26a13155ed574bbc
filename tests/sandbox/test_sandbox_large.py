"""A large company is many blocks over one template: all told apart, listed as one account, the same on every run."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from lever_kit import Server

from sandbox.company import build, large_people, papers
from sandbox.company.large import PEOPLE, LargeCompany, stamped
from sandbox.company.truth import canonical
from sandbox.lever.answers import dumped

Row = dict
N = 20_000
SEED = 7
ALL = ("confidentiality", "all")
SHORT = (("include", "id"), ("include", "createdAt"))
CHILDREN = ("notes", "feedback", "forms", "resumes", "files", "offers", "interviews", "panels", "referrals")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = Server("--limits", "off", "--opportunities", str(N), "--seed", str(SEED))
    yield one
    assert one.end() == 0


@pytest.fixture(scope="module")
def large() -> LargeCompany:
    return LargeCompany(seed=SEED, opportunities=N)


@pytest.fixture(scope="module")
def rows(server: Server) -> list[Row]:
    """The whole list, walked once."""
    return server.walk("/opportunities", [ALL, ("expand", "contact")])


@pytest.fixture(scope="module")
def sample(rows: list[Row], large: LargeCompany) -> list[Row]:
    """Some opportunities of several blocks, of people who were not erased."""
    alive = [row for row in rows if not row["isAnonymized"]]
    found = random.Random(3).sample(alive, 40)
    assert len({large.block_of(row["id"]) for row in found}) > 4
    return found


@pytest.fixture(scope="module")
def block(server: Server) -> Row:
    """The truth about block 3."""
    return server.control("truth?block=3")


def test_a_walk_gives_each_opportunity_once_in_pipeline_order(server: Server, large: LargeCompany, rows: list[Row]):
    """As many as announced, none twice, ordered by the rule of the ordinary company."""
    rank = {stage["id"]: stage["rank"] for stage in server.get("/disposition_stages").json()["data"]["stages"]}
    assert N <= len(rows) == len(large) < N + large.n_template
    ids = [item["id"] for item in large.template.opportunities]
    wanted = {large.turned(one, number) for one in ids for number in range(large.blocks)}
    assert {row["id"] for row in rows} == wanted
    assert len(wanted) == len(rows)
    keys = [(rank[row["stage"]], -row["lastAdvancedAt"], row["id"]) for row in rows]
    assert keys == sorted(keys)


def test_a_record_follows_from_the_seed_and_its_block(server: Server, large: LargeCompany, sample: list[Row]):
    """The same bytes from another process; a larger company has more blocks, and the same records in the first ones."""
    larger = LargeCompany(seed=SEED, opportunities=3 * N)
    items = {item["id"]: item for item in large.template.opportunities}
    for row in sample[:20]:
        number = large.block_of(row["id"])
        item = items[large.turned(row["id"], number)]
        body = dumped({"data": item}).body
        sent = server.get(f"/opportunities/{row['id']}").content
        for company in (large, larger):
            assert sent == company.fill(company.compiler(item["contact"])(body), number)


def test_block_0_is_the_ordinary_company(large: LargeCompany):
    """Nothing is rewritten there: the same records as the company of that seed and that many people."""
    ordinary = build(seed=SEED, people=PEOPLE)
    assert ordinary.opportunities == large.template.opportunities
    assert ordinary.contacts == large.template.contacts
    for item in ordinary.opportunities[:200]:
        assert item == large.rewritten(item, item["contact"], 0)


def test_blocks_share_no_id_and_no_person(large: LargeCompany, rows: list[Row]):
    """Ids of opportunities, contacts and applications, addresses, phones and profiles belong to one block each."""
    seen: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        number = large.block_of(row["id"])
        assert number is not None
        assert number == large.block_of(row["contact"]["id"])
        emails = [canonical(email) for email in row["emails"]]
        assert emails == [canonical(email) for email in row["contact"]["emails"]]
        told = [("id", one) for one in (row["id"], row["contact"]["id"], *row["applications"])]
        told += [("email", email) for email in emails if email not in large_people.SHARED_ADDRESSES]
        told += [("phone", "".join(filter(str.isdigit, phone["value"]))[-10:]) for phone in row["phones"]]
        told += [("link", link) for link in row["links"] if any(site in link for site in ("linkedin", "github.com/"))]
        for one in told:
            seen.setdefault(one, set()).add(number)
    shared = [one for one, numbers in seen.items() if len(numbers) > 1]
    assert shared == []
    names = {row["name"] for row in rows}
    assert len(names) > 0.9 * len({row["contact"]["id"] for row in rows})


def test_what_is_equal_in_the_template_is_equal_in_every_block(large: LargeCompany):
    """Two contacts of one person share their address, and a couple its phone, wherever they are told again."""
    people = [person for person in large.template.people if len(person.contacts) > 1]
    for person in people:
        for number in (1, 6):
            for contact in person.contacts:
                old, new = (
                    large.template.contacts[contact],
                    large.rewritten(large.template.contacts[contact], contact, number),
                )
                assert [canonical(text) for text in new["emails"]] == [
                    large.email(canonical(text), number) for text in old["emails"]
                ]
                assert new["isAnonymized"] == old["isAnonymized"]
                if " " in old["name"] and old["name"].isupper():
                    assert new["name"].isupper()


def test_windows_of_creation_partition_the_company(server: Server, rows: list[Row]):
    """Windows that touch, crawled one by one, give every opportunity once."""
    times = sorted(row["createdAt"] for row in rows)
    bounds = [0, *times[2000::3000], times[-1] + 1]
    found: list[str] = []
    for start, end in itertools.pairwise(bounds):
        window = [("created_at_start", str(start)), ("created_at_end", str(end - 1))]
        page = server.walk("/opportunities", [ALL, *SHORT, *window])
        assert all(start <= row["createdAt"] < end for row in page)
        found += [row["id"] for row in page]
    assert sorted(found) == sorted(row["id"] for row in rows)


FILTERS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "active": ("archived=false", lambda row: row["archived"] is None),
    "archived": ("archived=true", lambda row: row["archived"] is not None),
    "snoozed": ("snoozed=true", lambda row: row["snoozedUntil"] is not None),
    "stage": ("stage_id=offer&stage_id=lead-new", lambda row: row["stage"] in ("offer", "lead-new")),
    "origin": ("origin=agency", lambda row: row["origin"] == "agency"),
    "tag": ("tag=Boomerang", lambda row: "Boomerang" in row["tags"]),
    "source": ("source=GitHub", lambda row: "GitHub" in row["sources"]),
    "updated": (
        "updated_at_start=1700000000000&updated_at_end=1710000000000",
        lambda row: row["updatedAt"] is not None and 1_700_000_000_000 <= row["updatedAt"] <= 1_710_000_000_000,
    ),
    "advanced": ("advanced_at_start=1770000000000", lambda row: row["lastAdvancedAt"] >= 1_770_000_000_000),
    "closed since": (
        "archived_at_start=1760000000000&archived=true",
        lambda row: row["archived"] is not None and row["archived"]["archivedAt"] >= 1_760_000_000_000,
    ),
    "two": (
        "origin=sourced&created_at_start=1750000000000",
        lambda row: row["origin"] == "sourced" and row["createdAt"] >= 1_750_000_000_000,
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_gives_what_it_names(server: Server, rows: list[Row], name: str):
    """Answered from arrays, and yet the same rows in the same order as looking at every record."""
    query, wanted = FILTERS[name]
    expected = [row["id"] for row in rows if wanted(row)]
    assert expected
    words = [tuple(part.split("=")) for part in query.split("&")]
    assert expected == [row["id"] for row in server.walk("/opportunities", [ALL, *SHORT, *words])]  # type: ignore[list-item]


def test_filters_by_ids_and_addresses(server: Server, large: LargeCompany, rows: list[Row], sample: list[Row]):
    """By posting, reason, contact, address and confidentiality, and by several of them at once."""
    walk = lambda *words: [row["id"] for row in server.walk("/opportunities", [ALL, *SHORT, *words])]  # noqa: E731
    applications = large.template.applications.values()
    posting = next(application["posting"] for application in applications)
    own = {application["opportunityId"] for application in applications if application["posting"] == posting}
    assert walk(("posting_id", posting)) == [
        row["id"] for row in rows if large.turned(row["id"], large.block_of(row["id"])) in own
    ]
    reason = next(row["archived"]["reason"] for row in rows if row["archived"])
    assert walk(("archive_reason_id", reason)) == [
        row["id"] for row in rows if row["archived"] and row["archived"]["reason"] == reason
    ]
    for row in sample[:8]:
        contact = row["contact"]["id"]
        of_contact = [one["id"] for one in rows if one["contact"]["id"] == contact]
        assert walk(("contact_id", contact)) == of_contact
        for email in row["emails"]:
            wanted = email.strip().lower()
            with_email = [one["id"] for one in rows if wanted in [text.strip().lower() for text in one["emails"]]]
            assert walk(("email", wanted)) == with_email
            assert walk(("email", wanted), ("contact_id", contact)) == [one for one in of_contact if one in with_email]
    everybodys = "noemail@example.com"
    assert walk(("email", everybodys)) == [row["id"] for row in rows if everybodys in row["emails"]]
    assert len({large.block_of(one) for one in walk(("email", everybodys))}) == large.blocks
    secret = server.walk("/opportunities", [("confidentiality", "confidential")])
    assert [row["id"] for row in secret] == [row["id"] for row in rows if row["confidentiality"] == "confidential"]
    assert server.get("/opportunities", [ALL], key="lever_key_plain").status_code == 403
    assert walk(("contact_id", "0" * 8 + contact[8:])) == []


def test_switches_of_the_list_hold_for_a_large_company(server: Server, rows: list[Row]):
    """The order under filters and what a null date matches."""
    try:
        server.control("switches", "POST", {"filtered_order": "created", "null_dates": "match"})
        found = server.walk("/opportunities", [ALL, *SHORT, ("updated_at_start", "0")])
        assert [row["id"] for row in found] == [
            row["id"] for row in sorted(rows, key=lambda row: (-row["createdAt"], row["id"]))
        ]
    finally:
        server.control("switches", "DELETE")


def test_an_opportunity_and_its_children_agree_with_the_list(server: Server, large: LargeCompany, sample: list[Row]):
    """By id as in the list; users stay as they are; every id below belongs to the same block."""
    users = {row["id"]: row for row in server.walk("/users", [("includeDeactivated", "true")])}
    for row in sample[:12]:
        alone = server.get(f"/opportunities/{row['id']}?expand=contact&expand=owner").json()["data"]
        assert {**row, "owner": users.get(row["owner"])} == alone
        assert row["contact"] == server.get(f"/contacts/{row['contact']['id']}").json()["data"]
        number = large.block_of(row["id"])
        for kind in CHILDREN:
            for child in server.get(f"/opportunities/{row['id']}/{kind}").json()["data"]:
                assert number == large.block_of(child["id"])
                assert all(field.get("user") in {*users, None} for field in child.get("fields", ()))
                if kind != "offers":
                    path = f"/opportunities/{row['id']}/{kind}/{child['id']}"
                    assert child == server.get(path).json()["data"]
                stranger = large.turned(large.turned(child["id"], number), (number + 1) % large.blocks)
                answer = server.get(f"/opportunities/{row['id']}/{kind}/{stranger}")
                assert answer.status_code == 404
                assert kind == "offers" or stranger in answer.json()["message"]


def test_a_window_on_a_child_list_means_the_times_of_its_block(server: Server, sample: list[Row]):
    """The moment a file came in finds it, the millisecond after does not."""
    tried = 0
    for row in sample:
        path = f"/opportunities/{row['id']}/resumes"
        for resume in server.get(path).json()["data"]:
            if resume["file"]:
                at = int(resume["file"]["uploadedAt"])
                for start, found in ((at, True), (at + 1, False)):
                    rows = server.get(path, {"uploaded_at_start": start, "uploaded_at_end": start}).json()["data"]
                    assert found == (resume["id"] in [one["id"] for one in rows])
                tried += 1
    assert tried > 10


def test_an_id_nobody_has_is_not_found(server: Server, sample: list[Row]):
    """Neither the id of a block there is not, nor one that was made up."""
    own = sample[0]["id"]
    for wrong in (f"{int(own[:5], 16) ^ 0xFFFFF:05x}{own[5:]}", "0" * 36, "nobody"):
        for path in (f"/opportunities/{wrong}", f"/opportunities/{wrong}/notes", f"/contacts/{wrong}"):
            answer = server.get(path)
            assert answer.status_code == 404
            assert wrong in answer.json()["message"]


def test_the_truth_is_told_by_counts_and_by_block(server: Server, large: LargeCompany, rows: list[Row], block: Row):
    """Never whole; the counts are those of the lists, and a block's truth is what the API says."""
    for words in ("", "?block=nine", f"?block={large.blocks}"):
        answer = server.session.get(f"{server.facts['control_url']}/truth{words}", timeout=10)
        assert answer.status_code == 400
        assert "block=" in answer.json()["message"]
    counts = server.control("truth?counts=1")
    assert (large.blocks, large.n_template) == (counts["blocks"], counts["opportunities_per_block"])
    assert len(rows) == counts["counts"]["opportunities"]
    assert len({row["contact"]["id"] for row in rows}) == counts["counts"]["contacts"]
    own = {row["id"]: row for row in rows if large.block_of(row["id"]) == 3}
    assert {row["id"] for row in block["opportunities"]} == set(own)
    contacts = {row["contact"]["id"]: row["contact"] for row in own.values()}
    for one in block["contacts"]:
        assert one["name"] == contacts[one["id"]]["name"]
        assert one["emails"] == contacts[one["id"]]["emails"]
        assert one["phones"] == [phone["value"] for phone in contacts[one["id"]]["phones"]]
    for one in block["opportunities"]:
        assert one["created"] == own[one["id"]]["createdAt"]
        assert one["contact"] == own[one["id"]]["contact"]["id"]
    for note in block["notes"][::200]:
        found = server.get(f"/opportunities/{note['opportunity']}/notes/{note['id']}").json()["data"]
        assert [comment["at"] for comment in note["comments"]] == [field["createdAt"] for field in found["fields"]]
    assert not any(person["ashby"] for person in block["people"])


def test_files_are_those_of_the_truth_and_differ_from_block_to_block(server: Server, large: LargeCompany, block: Row):
    """Same length, other bytes; through a redirect as well."""
    paths = {"resume": "resumes", "file": "files", "offer": "offers"}
    seen = set()
    for file in [one for one in block["files"] if one["expected"] == "load"][::90]:
        path = f"/opportunities/{file['opportunity']}/{paths[file['kind']]}/{file['id']}/download"
        answer = server.get(path)
        seen.add(len(answer.history))
        assert answer.status_code == 200
        assert (file["size"], file["sha256"]) == (len(answer.content), hashlib.sha256(answer.content).hexdigest())
    assert seen == {0, 1}
    template = large.template
    for key, spec in list(template.file_kinds.items())[:40]:
        body = template.file_bytes(key)
        others = {stamped(body, number) for number in range(4)}
        assert {len(body)} == {len(other) for other in others}
        assert len(others) == (1 if spec.kind in ("png", "empty") else 4)


def test_files_that_are_answers_can_be_listed_in_every_block(server: Server, large: LargeCompany):
    """Under the ids of the block, of one length, and other bytes in each."""
    company = large.template
    item = next(item for item in company.opportunities if papers.uploaded(company, item))
    (one, *_), bodies = papers.uploaded(company, item), set()
    server.control("switches", "POST", {"uploaded_answers": "listed"})
    for number in (0, 3, 4):
        opportunity, file_id = large.turned(item["id"], number), large.turned(one["id"], number)
        path = f"/opportunities/{opportunity}/files"
        assert file_id in [row["id"] for row in server.get(path).json()["data"]]
        bodies.add(server.get(f"{path}/{file_id}/download").content)
    server.control("switches", "DELETE")
    assert {len(body) for body in bodies} == {one["size"]}
    assert len(bodies) == 3


def test_deleted_lists_and_counts_cover_all_blocks(server: Server, large: LargeCompany):
    """Each block has its own deleted opportunities; tags and sources count everybody."""
    gone = [row["id"] for row in server.walk("/opportunities/deleted")]
    assert 4 * large.blocks == len(gone) == len(set(gone))
    assert {large.block_of(one) for one in gone} == set(range(large.blocks))
    tags = {row["text"]: row["count"] for row in server.walk("/tags")}
    found = server.walk("/opportunities", [ALL, ("tag", "Boomerang")])
    assert len(found) == tags["Boomerang"]


def test_a_large_company_cannot_be_edited(server: Server):
    """Recruiters at work need an ordinary company: refused, with the reason."""
    for path in ("edits", "live"):
        answer = server.session.post(f"{server.facts['control_url']}/{path}", json={}, timeout=10)
        assert answer.status_code == 400
        assert "large company" in answer.json()["message"]
    assert server.control("reset", "POST")["ok"] is True
    assert server.get("/opportunities", {"limit": 1}).json()["hasNext"] is True


def test_a_size_that_makes_no_sense_is_refused():
    """None, or more than ids and phone numbers can tell apart."""
    for wrong in (0, -5, 10**9):
        with pytest.raises(ValueError, match="opportunities must be"):
            LargeCompany(seed=1, opportunities=wrong)


def test_phones_of_all_blocks_are_different():
    """Every number a template can have, in blocks near and far."""
    seen: set[str] = set()
    forms = [f"+1 {area}-555-01{line:02d}" for area in large_people.words.AREA_CODES[:10] for line in range(0, 100, 7)]
    forms += [f"+447700900{line:03d}" for line in range(0, 1000, 13)]
    blocks = [*range(130), 198, 199, 200, 499, 500, 501, 998, 999, 1000, 9998]
    for number in blocks:
        table = large_people.table(number)
        told = {large_people.told(large_people.phone(form), table) for form in forms}
        assert len(told) == len(forms)
        assert not told & seen
        seen |= told


def test_offsets_of_a_large_list_are_bound_to_their_list(server: Server):
    """A made-up token and one of another list are refused."""
    token = server.get("/opportunities", {"limit": 5}).json()["next"]
    assert token.startswith("%5B")
    assert server.get("/opportunities", {"limit": 5, "offset": token}).status_code == 200
    assert server.get(f"/opportunities?offset={quote(token[:-3])}").status_code == 400
    assert server.get("/users", {"offset": token}).status_code == 400
