"""Real answers of both vendors, where the recordings are at hand: our readers accept every one of them."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from requests.structures import CaseInsensitiveDict

from lib import ashby, contract, dedupe, lever, mapping
from lib.params import Policy
from lib.transport import Pacer, Reply, Transport
from lib.validate import target
from lib.validate.shelf import Scratch

SHARED = Path(os.environ.get("WORKBOOK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "recordings"
STREAMS = {entry["path"]: name for name, entry in contract.lever_objects().items()}
BARE = {"/postings/:id/users"}  # an answer that is neither a list nor one object in `data`; no step reads it


def recorded(vendor):
    """[(name, entry, body bytes)] of all recorded answers of a vendor; empty where there are none."""
    index = SHARED / vendor / "index.json"
    if not index.is_file():
        return []
    entries = [one for one in json.loads(index.read_text("utf-8")) if one["file"]]
    return [(one["file"], one, (SHARED / vendor / one["file"]).read_bytes()) for one in entries]


LEVER = [one for one in recorded("lever") if one[1]["method"] == "GET"]
ASHBY = recorded("ashby")


def named(found):
    """Parameters with names; one skipped test where nothing is at hand."""
    if not found:
        return [pytest.param(None, None, marks=pytest.mark.skip(reason="no recordings at hand"))]
    return [pytest.param(entry, body, id=name.removesuffix(".json")) for name, entry, body in found]


def stream_of(path):
    """(stream, is it a list) of a recorded Lever path; (None, …) for what the workbook does not read."""
    plain = re.sub(r"^/opportunities/:id", "/opportunities/{opportunity}", path.removeprefix("/v1"))
    if plain in STREAMS:
        return STREAMS[plain], plain != "/disposition_stages"
    if plain == "/opportunities/{opportunity}":
        return "opportunities", False
    return STREAMS.get(plain.removesuffix("/:id")), False


def as_reply(entry, body):
    return Reply(entry["status"], CaseInsensitiveDict(entry["headers"]), body)


# ---- Lever -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("entry", "body"), named(LEVER))
def test_every_answer_of_lever_is_understood(entry, body):
    """Status, envelope, the attributes we cannot do without; and nothing in it that our contract does not know."""
    path = entry["endpoint"].removeprefix("/v1")
    transport = Transport("Lever", pacer=Pacer(10))
    assert lever.meaning(as_reply(entry, body), path, transport) is None
    answer = as_reply(entry, body).json()
    if path in BARE:
        return
    items = lever.unwrap(answer, path)
    stream, is_list = stream_of(path)
    if is_list:
        assert answer["data"] == items
    else:
        assert len(items) == 1 or stream is None
    if stream:
        assert [] == [text for item in items for text in contract.missing_attributes(stream, item)]
        assert set() == {text for item in items for text in contract.unknown_attributes(stream, item)}


def test_a_recorded_list_ends_where_lever_says_so():
    """`hasNext` is a plain boolean, and there is a token whenever it is true."""
    if not LEVER:
        pytest.skip("no recordings at hand")
    for name, _, body in LEVER:
        answer = json.loads(body)
        if "hasNext" in answer:
            assert isinstance(answer["hasNext"], bool), name
            assert bool(answer.get("next")) is answer["hasNext"], name


def opportunities():
    found = [json.loads(body)["data"] for _, entry, body in LEVER if entry["endpoint"] == "/v1/opportunities"]
    if not found:
        pytest.skip("no recordings at hand")
    return {one["id"]: one for page in found for one in page}


def test_recorded_opportunities_become_contacts_and_people():
    """A thousand real ones: every contact in the table, every contact in exactly one person, in any order."""
    listed = opportunities()
    contacts = dedupe.contacts_table(list(listed.values()))
    ids = {one["contact"]["id"] if isinstance(one["contact"], dict) else one["contact"] for one in listed.values()}
    assert ids == set(contacts["id"])
    result = dedupe.dedupe(contacts)
    assert ids == set(result.members["contact"])
    assert len(ids) == len(result.members)
    again = dedupe.dedupe(dedupe.contacts_table(list(reversed(listed.values()))))
    assert list(result.people["person"]) == list(again.people["person"])


# ---- Ashby -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("entry", "body"), named(ASHBY))
def test_every_answer_of_ashby_is_understood(entry, body):
    """Each one is a success with its results, request id and paging members; none is taken for anything else."""
    endpoint = entry["endpoint"].removeprefix("/")
    effect = contract.ashby_endpoints().get(endpoint, {}).get("effect", "read")
    answer = ashby.meaning(endpoint, as_reply(entry, body), writes=effect != "read")
    told = json.loads(body)
    assert told["results"] == answer.results
    assert entry["headers"]["x-ashby-request-id"] == answer.request_id
    assert (told.get("moreDataAvailable") is True) is answer.more
    assert bool(answer.cursor) is bool(told.get("nextCursor"))
    if answer.more:
        assert answer.cursor


@pytest.mark.parametrize(("entry", "body"), named([one for one in ASHBY if "create" in one[0] or "update" in one[0]]))
def test_every_recorded_body_of_a_call_we_make_is_legal(entry, body):
    """What others sent with success passes our contract, as far as we send those members at all."""
    endpoint = entry["endpoint"].removeprefix("/")
    if endpoint not in contract.ashby_endpoints():
        pytest.skip("a call that the workbook does not make")
    known = contract.ashby_endpoints()[endpoint]["request"]["properties"]
    sent = {name: value for name, value in entry["request"]["data"].items() if name in known}
    switches = {"sendNotifications": False} if "sendNotifications" in known else {}
    assert contract.check_body(endpoint, sent | switches) is None


def candidates():
    found = [json.loads(body)["results"] for _, one, body in ASHBY if one["endpoint"] == "/candidate.list"]
    if not found:
        pytest.skip("no recordings at hand")
    single = [json.loads(body)["results"] for _, one, body in ASHBY if one["endpoint"].startswith("/candidate.")]
    return [one for page in found for one in page] + [one for one in single if isinstance(one, dict) and "name" in one]


def test_recorded_candidates_are_compared_with_contacts():
    """Nulls and absences as they really come: each candidate is a row, and no crash hides in one of them."""
    listed = {one["id"]: one for one in candidates()}
    table = dedupe.existing_table(listed.values())
    assert set(listed) == set(table["id"])
    if LEVER:
        contacts = dedupe.contacts_table(list(opportunities().values()))
        result = dedupe.dedupe(contacts, existing=table)
        assert len(contacts) == len(result.members)
        assert set(result.people["match"]) <= {"new", "exists", "review"}


# ---- further readers ---------------------------------------------------------------------------------------------
class Recorded:
    """A reader of raw objects over the recordings, as the store is one: lists, and single objects as their children."""

    def __init__(self):
        self.streams = {}
        for _, entry, body in LEVER:
            stream, _ = stream_of(entry["endpoint"])
            for item in lever.unwrap(json.loads(body), entry["endpoint"]) if stream else []:
                self.streams.setdefault(stream, {})[item.get("id") or item.get("text") or "the only one"] = item
        self.listed = {}
        for _, entry, body in ASHBY:
            results = json.loads(body)["results"]
            if isinstance(results, list):
                self.listed.setdefault(entry["endpoint"].removeprefix("/"), {}).update(
                    {one["id"]: one for one in results}
                )

    def all(self, stream):
        found = self.streams.get(stream, {})
        return iter([found[name] for name in sorted(found)])

    def of(self, stream, parent_id):
        """Every recorded child belongs to every parent: what matters is that it can be read."""
        if stream == "opportunities":
            return [one for one in self.all(stream) if one["contact"] == parent_id]
        return list(self.all(stream))

    def get(self, stream, lever_id):
        return self.streams.get(stream, {}).get(lever_id)

    def count(self, stream):
        return len(self.streams.get(stream, {}))

    def file(self, lever_id):
        return None

    def ashby(self, kind):
        names = {"users": "user.list", "sources": "source.list", "departments": "department.list", "jobs": "job.list"}
        return list(self.listed.get(names.get(kind, ""), {}).values())

    def items(self, endpoint, body=None):
        return list(self.listed.get(endpoint, {}).values())

    def pages(self, endpoint, body=None):
        return iter([SimpleNamespace(results=self.items(endpoint))])


@pytest.mark.skipif(not (LEVER and ASHBY), reason="no recordings at hand")
def test_decisions_are_proposed_from_a_recorded_account():
    """Real nulls and shapes: every stage, reason, source, user, posting and question gets its row, once."""
    tables = mapping.propose(Recorded(), policy=Policy(), now_ms=1_790_000_000_000)
    for name, rows in tables.items():
        ids = [row["id"] for row in rows]
        assert len(set(ids)) == len(ids), name
    assert [] != tables["archive_reasons"]
    assert [] != tables["sources"]
    assert {"custom_fields", "feedback_forms", "postings", "users"} <= set(tables)


@pytest.mark.skipif(not ASHBY, reason="no recordings at hand")
def test_validation_reads_recorded_objects():
    """Walks, custom values, files and fingerprints of real candidates and applications, nulls included."""
    reader = Recorded()
    found = target.read_target(reader, Scratch(), progress=lambda done, total, note: None, workers=2)
    assert set(reader.listed["candidate.list"]) == set(found.candidates)
    assert set(reader.listed["application.list"]) == set(found.applications)
    people = {target.ident(one.get("candidate")) for one in found.applications.all()}
    assert sum(len(found.applications_of(one)) for one in people) == len(found.applications)
    for one in found.candidates.all():
        assert {file["id"] for file in one.get("fileHandles") or []} <= {file["id"] for file in target.files_of(one)}
        assert target.fingerprint(one["name"], one["createdAt"])
        assert set(target.custom_values(one)) == {value["id"] for value in one.get("customFields") or []}
