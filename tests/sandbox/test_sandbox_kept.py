"""What the sandbox keeps for speed is never old: after any write or edit, lists show what single reads show."""

from __future__ import annotations

from lever_kit import Server, one_server

Json = dict


running, server = one_server("--limits", "off", people=40)


def results(server: Server, endpoint: str, body: Json) -> Json:
    """The answer to a call that has to succeed."""
    answer = server.ashby(endpoint, body).json()
    assert answer["success"] is True, answer
    return answer


def walk(server: Server, endpoint: str, body: Json) -> tuple[list[Json], str]:
    """All rows of a list and its sync token."""
    rows: list[Json] = []
    while True:
        answer = results(server, endpoint, body)
        rows += answer["results"]
        if not answer["moreDataAvailable"]:
            return rows, answer["syncToken"]
        body = {**body, "cursor": answer["nextCursor"]}


def agree(server: Server) -> None:
    """Each candidate and application of a list is as it is by id."""
    for row in walk(server, "candidate.list", {"limit": 7})[0]:
        assert row == results(server, "candidate.info", {"id": row["id"]})["results"]
    for row in walk(server, "application.list", {"limit": 7})[0]:
        alone = results(server, "application.info", {"applicationId": row["id"]})["results"]
        assert {name: alone[name] for name in row if name != "openings"} == row


def test_lists_of_ashby_show_every_write_at_once(server: Server):
    """A tag, a note, a name, an application, a stage, a field, a source: the next list has it."""
    person = results(server, "candidate.create", {"name": "Ada Berg", "email": "ada@load.example"})["results"]["id"]
    job = next(row for row in walk(server, "job.list", {})[0] if row["status"] == "Open")["id"]
    tag = results(server, "candidateTag.create", {"title": "Kept"})["results"]["id"]
    source = results(server, "source.list", {})["results"][0]
    agree(server)
    application = results(server, "application.create", {"candidateId": person, "jobId": job})["results"]
    stages = results(server, "interviewStage.list", {"interviewPlanId": _plan(server, job)})["results"]
    writes: list[tuple[str, Json]] = [
        ("candidate.addTag", {"candidateId": person, "tagId": tag}),
        ("candidate.update", {"candidateId": person, "name": "Ada Berg-Winther", "sourceId": source["id"]}),
        ("candidate.createNote", {"candidateId": person, "note": "Spoke for 20 minutes."}),
        ("application.changeStage", {"applicationId": application["id"], "interviewStageId": stages[1]["id"]}),
        ("application.changeSource", {"applicationId": application["id"], "sourceId": source["id"]}),
        ("candidateTag.archive", {"tagId": tag}),
        ("candidate.removeTag", {"candidateId": person, "tagId": tag}),
    ]
    for endpoint, body in writes:
        before = walk(server, "candidate.list", {})[0], walk(server, "application.list", {})[0]
        results(server, endpoint, body)
        agree(server)
        assert before != (walk(server, "candidate.list", {})[0], walk(server, "application.list", {})[0])


def _plan(server: Server, job: str) -> str:
    """The interview plan of a job."""
    return results(server, "job.info", {"id": job})["results"]["defaultInterviewPlanId"]


def test_a_sync_token_gives_what_changed_since_and_nothing_else(server: Server):
    """Read off the log of changes: oldest change first, each once, in pages; what is unchanged stays out."""
    ids = [results(server, "candidate.create", {"name": f"Person {n}"})["results"]["id"] for n in range(6)]
    _, token = walk(server, "candidate.list", {})
    for number in (4, 1, 4, 2):
        results(server, "candidate.update", {"candidateId": ids[number], "name": f"Renamed {number}"})
    late = results(server, "candidate.create", {"name": "Late"})["results"]["id"]
    changed, again = walk(server, "candidate.list", {"syncToken": token, "limit": 2})
    assert [row["id"] for row in changed] == [ids[1], ids[4], ids[2], late]
    assert [row["name"] for row in changed] == ["Renamed 1", "Renamed 4", "Renamed 2", "Late"]
    assert walk(server, "candidate.list", {"syncToken": again})[0] == []


def test_lists_of_lever_show_every_edit_at_once(server: Server):
    """A recruiter's edit stands in the next page of the list, expanded or not."""
    for query in ([], [("expand", "contact"), ("expand", "applications")]):
        rows = server.walk("/opportunities", [("confidentiality", "all"), *query])
        alive = next(row for row in rows if not row["isAnonymized"])
        for kind in ("tag", "contact_edit", "note_new"):
            server.control("edits", "POST", {"edits": [{"kind": kind, "opportunity": alive["id"]}]})
            later = server.walk("/opportunities", [("confidentiality", "all"), *query])
            assert later != rows
            names = [(name, value) for name, value in query]
            for row in later:
                assert row == server.get(f"/opportunities/{row['id']}", names).json()["data"]
            rows = later


def test_other_switches_and_keys_see_other_lists(server: Server):
    """What was kept for one key or switch is not shown to another."""
    full = walk(server, "candidate.list", {})[0]
    server.control("switches", "POST", {"key_toggles": ""})
    assert [row["id"] for row in full] == [row["id"] for row in walk(server, "candidate.list", {})[0]]
    agree(server)
    rows = server.get("/opportunities", [("expand", "applications"), ("limit", "5")]).json()["data"]
    server.control("switches", "POST", {"expanded_applications": "without_questions"})
    fewer = server.get("/opportunities", [("expand", "applications"), ("limit", "5")]).json()["data"]
    assert [row["id"] for row in rows] == [row["id"] for row in fewer]
    assert all("customQuestions" not in one for row in fewer for one in row["applications"])
