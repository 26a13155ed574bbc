"""Deliberate damages of the code that promises "exactly once", and the tests that must notice each of them.

A damage is a piece of text that occurs once in a file and another text in its place. `test_mutants` applies each to a
copy of the repository and runs the named tests, which have to fail.
"""

from __future__ import annotations

from dataclasses import dataclass

CHAIN, DOUBT, LOOKUP, GUARD = "lib/load/chain.py", "lib/load/doubt.py", "lib/load/lookup.py", "lib/load/guard.py"
LEDGER, ASHBY, TRANSPORT, STORE = (
    "lib/store/ledger.py",
    "lib/ashby.py",
    "lib/transport/__init__.py",
    "lib/store/__init__.py",
)
LOAD = "lib/load/__init__.py"
LESSONS, HABITS, EXTRACT = "lib/mapping/lessons.py", "lib/validate/habits.py", "lib/extract/__init__.py"
CRASHES = "tests/test_crashes.py::test_a_load_that_dies_at_any_effect_ends_as_if_it_had_not"
LOST = "tests/test_load.py::test_every_answer_lost_makes_no_double"
FRESH, FILES = "lib/steps/fresh.py", "lib/extract/files.py"
TOGETHER, SHARED = (
    "lib/store/together.py",
    (
        "tests/test_store.py::"
        "test_writes_that_come_during_a_commit_share_the_next_one_and_each_returns_when_it_is_on_disk"
    ),
)
LIVE = "tests/test_live.py::test_what_changes_while_it_is_read_is_here_after_the_last_pass"


@dataclass(frozen=True)
class Mutant:
    """One damage: what it means in words, where, what is replaced by what, and the tests that must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    ordinary: bool = False  # also run in the ordinary suite


def _load(name: str) -> str:
    return f"tests/test_load.py::test_{name}"


MUTANTS = [
    Mutant(
        "the intention is committed after the call, not before it",
        CHAIN,
        """        self.ledger.intend(row, touched=self._touched(row))
        self.load.fail_at("intended", row)
        self.n_writes += 1
        try:
            answer = self.load.ashby.call(row.kind, self.uploads.body_of(row, body))
""",
        """        self.n_writes += 1
        try:
            answer = self.load.ashby.call(row.kind, self.uploads.body_of(row, body))
            self.ledger.intend(row, touched=self._touched(row))
            self.load.fail_at("intended", row)
""",
        (CRASHES,),
        ordinary=True,
    ),
    Mutant(
        "a row without an outcome is not looked up",
        CHAIN,
        "        if entry.state in UNSURE:\n            return self._clarified(row, body, entry.first_ms)\n",
        "        if entry.state in UNSURE:\n            return False\n",
        (CRASHES,),
        ordinary=True,
    ),
    Mutant(
        "a lost answer is not looked up",
        CHAIN,
        "                if self._clarified(row, body, first_ms):\n                    return\n",
        "",
        (LOST,),
    ),
    Mutant(
        "a candidate is adopted without comparing createdAt",
        LOOKUP,
        """    return same and ours and same_moment(found.get("createdAt"), body.get("createdAt"))
""",
        "    return same and ours\n",
        (_load("a_stranger_of_the_same_name_and_address_is_not_adopted"),),
        ordinary=True,
    ),
    Mutant(
        "an application is adopted without comparing createdAt",
        LOOKUP,
        """        same_time = same_moment(one.get("createdAt"), body.get("createdAt"))
""",
        "        same_time = True\n",
        (_load("an_application_of_another_time_is_not_adopted"),),
    ),
    Mutant(
        "an application is adopted without comparing the job",
        LOOKUP,
        """        same_job = (one.get("job") or {}).get("id") == body["jobId"]
""",
        "        same_job = True\n",
        (_load("an_application_of_the_same_time_on_another_job_is_for_a_person"),),
    ),
    Mutant(
        "a candidate with another Lever id on it is adopted",
        LOOKUP,
        "    ours = not marked or any(row.lever_id in one for one in marked)\n",
        "    ours = True\n",
        (_load("a_candidate_with_another_lever_id_is_not_adopted"),),
    ),
    Mutant(
        "a note is adopted without comparing its marker",
        LOOKUP,
        'for one in notes if marker and marker_of(one.get("content")) == marker]',
        "for one in notes]",
        (LOST,),
    ),
    Mutant(
        "feedback is adopted without comparing its marker",
        LOOKUP,
        'for one in forms if markers and markers_in(one.get("submittedValues")) == markers]',
        "for one in forms]",
        (LOST,),
    ),
    Mutant(
        "a file is adopted without comparing its name",
        LOOKUP,
        'for one in handles if one.get("name") == name))',
        "for one in handles))",
        (LOST,),
    ),
    Mutant(
        "the outcome is recorded before the answer is there",
        CHAIN,
        """        self.load.fail_at("intended", row)
        self.n_writes += 1
""",
        """        self.load.fail_at("intended", row)
        self.ledger.settle(row, "done")
        self.n_writes += 1
""",
        (CRASHES,),
    ),
    Mutant(
        "of several hits the first one is taken",
        DOUBT,
        "    if len(found.hits) == 1:\n",
        "    if found.hits:\n",
        (_load("two_hits_are_for_a_person"),),
    ),
    Mutant(
        "what agrees in part is taken for absent",
        DOUBT,
        '    return Judgement("parked", None, RENAMED) if found.near else ABSENT\n',
        "    return ABSENT\n",
        (_load("a_candidate_that_was_renamed_before_we_looked_is_not_made_twice"),),
    ),
    Mutant(
        "an index that lags counts as proof",
        DOUBT,
        "    is_shown = not confirmed or _sees(load, confirmed)\n",
        "    is_shown = True\n",
        (_load("what_ashby_does_not_show_yet_is_not_made_twice"),),
    ),
    Mutant(
        "what was confirmed before ours was sent proves that ours would be seen",
        DOUBT,
        "    return [one for one in _confirmed(load, row) if one[1].first_ms > sent_ms]\n",
        "    return _confirmed(load, row)\n",
        (_load("what_was_shown_long_ago_is_no_proof_of_what_was_sent_since"),),
    ),
    Mutant(
        "what a look-up has shown proves that whatever is sent later would be seen",
        LOAD,
        "            self._shown[kind] = max(first_ms, self.shown(kind))\n",
        "            self._shown[kind] = 2**62\n",
        (_load("what_a_look_up_has_shown_is_no_proof_of_what_was_sent_after_it"),),
    ),
    Mutant(
        "what others are shown during a look counts for it",
        DOUBT,
        "    if is_shown or found.hits or found.near:",
        "    if load.shown(row.kind) > sent_ms or found.hits or found.near:",
        ("tests/test_doubt.py",),
    ),
    Mutant(
        "what others are shown after a shared list was read counts for it",
        DOUBT,
        "            self._shown[candidate_id] = max([shown, ",
        "            self._shown[candidate_id] = max([self._load.shown(NOTE), ",
        ("tests/test_doubt.py",),
    ),
    Mutant(
        "a row that a process died with counts as sent when it was recorded",
        DOUBT,
        'load.began_ms if entry and entry.state == "intended" else 0)',
        "0)",
        ("tests/test_doubt.py",),
    ),
    Mutant(
        "a run that stops goes on trying",
        CHAIN,
        "            if attempt and self.load.stopping:\n",
        "            if False:\n",
        ("tests/test_doubt.py",),
    ),
    Mutant(
        "a candidate is not looked for at its own moment",
        LOOKUP,
        "    found += _added_then(seek, body)\n",
        "",
        (_load("a_candidate_that_counts_as_added_long_ago_is_found"),),
    ),
    Mutant(
        "an unknown outcome is taken for surely not applied",
        CHAIN,
        """call={"request": wanted})
                if self._shelf is not None:
                    self._shelf.forget(body["candidateId"])
                if self._clarified(row, body, first_ms):
                    return
                if not can_look_up(row.kind):  # nothing was waited for; repeated at once, all tries would be used up
                    self.load.back_off(attempt)
                unsure = seen = True
""",
        """call={"request": wanted})
                self.ledger.settle(row, "again", note=note)
""",
        (LOST,),
    ),
    Mutant(
        "a row that was sent twice is not looked up before the third time",
        CHAIN,
        "        return entry.attempts > 1 and self._taken(",
        "        return False and self._taken(",
        (_load("a_row_that_was_sent_twice_is_looked_up_before_the_third_time"),),
    ),
    Mutant(
        "500 counts as not applied",
        ASHBY,
        "    if not writes or (reply.status == 503 and wait is not None):\n",
        "    if not writes or reply.status >= 500:\n",
        ("tests/test_ashby.py",),
    ),
    Mutant(
        "a cut connection counts as never sent",
        TRANSPORT,
        "        if writes and not _never_sent(error):\n",
        "        if False:\n",
        (LOST,),
    ),
    Mutant(
        "`success` is not looked at",
        ASHBY,
        '    if body.get("success") is not True or "results" not in body',
        '    if "results" not in body',
        (LOST, "tests/test_ashby.py"),
    ),
    Mutant(
        "429 counts as applied",
        ASHBY,
        "    if reply.status == 429 or slower:\n",
        "    if reply.status == 429:\n        return Answer({})\n    if slower:\n",
        (_load("storms_of_429"),),
    ),
    Mutant(
        "a lease that was lost is not noticed at the next commit",
        STORE,
        "                    if self._fence is not None:\n",
        "                    if False:\n",
        ("tests/test_store.py", "tests/test_operators.py"),
    ),
    Mutant(
        "the lease is not asked for after the wait for a place in the allowance, before the first byte",
        "lib/workbook.py",
        "    ashby.transport.before_write = store.check_lease\n",
        "",
        ("tests/test_operators.py::test_a_call_that_is_overtaken_while_it_waits_for_its_turn_does_not_leave",),
    ),
    Mutant(
        "an object that another row holds may be adopted",
        LOOKUP,
        "        return [one for one in ids if self.ledger.is_linked(one) in (None, row.link)]\n",
        "        return list(ids)\n",
        (_load("jobs_that_look_alike_stay_as_many"),),
    ),
    Mutant(
        "a job from before the plan may be adopted",
        LOOKUP,
        'and created >= seek.first_ms - HOUR and one["id"] not in seek.before:',
        "and created >= seek.first_ms - HOUR:",
        (_load("a_job_of_the_same_title_from_before_us_is_left_alone"),),
    ),
    Mutant(
        "a row that is done and has changed is sent again",
        CHAIN,
        '        if contract.effect(row.kind) in ("set", "get_or_create"):\n            return True\n',
        "        return True\n",
        (_load("what_changed_later_is_set_or_parked_and_never_doubled"),),
    ),
    Mutant(
        "what a row needs is not waited for",
        CHAIN,
        "            except MissingLinkError:\n                continue  # stays planned",
        "            except MissingLinkError:\n                body = dict(row.body)  # stays planned",
        (_load("a_refusal_is_set_aside_and_its_children_wait"),),
    ),
    Mutant(
        "nobody waits longer than the settling delay",
        DOUBT,
        "            break\n        load.rest(load.settle_s)\n",
        "            break\n        break\n",
        (_load("what_was_shown_long_ago_is_no_proof_of_what_was_sent_since"),),
    ),
    Mutant(
        "a link is not written together with the outcome",
        LEDGER,
        '            if state == "done" and row.link and ashby_id:\n',
        "            if False:\n",
        (CRASHES,),
    ),
    Mutant(
        "a refused row is sent again",
        CHAIN,
        "            return same and not self.load.retry_refused\n",
        "            return False\n",
        (_load("a_refusal_is_set_aside_and_its_children_wait"),),
    ),
    Mutant(
        "an existing field's options are lost when ours are added",
        CHAIN,
        "            return guard.with_current_options(self.load.ashby, body)\n",
        "            return body\n",
        (_load("options_that_an_admin_adds_meanwhile_are_kept"),),
    ),
    Mutant(
        "what stood there before is remembered only after it was changed",
        CHAIN,
        "        self.ledger.intend(row, touched=self._touched(row))\n",
        "        self.ledger.intend(row)\n",
        (_load("a_plan_that_is_made_after_deaths_is_the_same_plan"),),
    ),
    Mutant(
        "only the last call of a row counts as ours",
        GUARD,
        "    for request in requests:\n",
        "    for request in requests[-1:]:\n",
        (_load("two_changes_one_after_the_other_both_arrive"),),
    ),
    Mutant(
        "writes of unknown outcome may drop out of the plan",
        LEDGER,
        "            self._check_open_rows(tx)\n",
        "",
        ("tests/test_store.py", "tests/test_steps.py"),
    ),
    Mutant(
        "the file is attached without looking whether it is there",
        LOOKUP,
        '    "candidate.uploadFile": _file,\n    "candidate.uploadResume": _file,\n',
        "",
        (LOST,),
    ),
    Mutant(
        "a refusal because the candidate is gone speaks of what was sent",
        LESSONS,
        '    if one.state not in ("done", "refused") or one.code.endswith(NOT_ABOUT_VALUES):\n',
        '    if one.state not in ("done", "refused"):\n',
        ("tests/test_lessons.py",),
    ),
    Mutant(
        "an application that was taken on a closed job does not count",
        LESSONS,
        '    if not refused or set(seen.jobs["done"]) & seen.closed:\n',
        "    if not refused:\n",
        ("tests/test_lessons.py",),
    ),
    Mutant(
        "a longer note that was taken does not count",
        LESSONS,
        "    if refused <= max(taken, SHORTEST):\n",
        "    if refused <= SHORTEST:\n",
        ("tests/test_lessons.py",),
    ),
    Mutant(
        "one record that differs is a habit",
        HABITS,
        "    return SECOND if len(cut) >= ENOUGH and all(cut) else 1\n",
        "    return SECOND if any(cut) else 1\n",
        ("tests/test_habits.py",),
    ),
    Mutant(
        "what a list does not show any more is gone without being asked for",
        EXTRACT,
        "        missed = _missed(walk, lever_id, found, unread) if due.was_read or lever_id in before else {}\n",
        "        missed: dict[str, list[dict[str, Any]]] = {}\n",
        ("tests/test_extract.py::test_lists_that_are_cut_short_take_nothing_away",),
    ),
    Mutant(
        "no pass is made over what has changed meanwhile",
        EXTRACT,
        "    for number in range(MAX_PASSES):\n",
        "    for number in range(0):\n",
        (LIVE,),
    ),
    Mutant(
        "passes do not overlap",
        "lib/extract/windows.py",
        "OVERLAP = 600_000 ",
        "OVERLAP = 0 ",
        (LIVE,),
    ),
    Mutant(
        "the child lists of what has changed are not read again",
        EXTRACT,
        "        if (basis != sha or lever_id in again) and",
        "        if (basis is None or lever_id in again) and",
        (LIVE,),
    ),
    Mutant(
        "what Lever has deleted stays",
        "lib/extract/gone.py",
        """            if item["id"] in held:
                _gone(walk, tx, item["id"])
""",
        "            pass\n",
        (LIVE,),
    ),
    Mutant(
        "whoever was erased since the plan is loaded",
        FRESH,
        "        if anonymised(item) or refusal:\n",
        "        if refusal:\n",
        ("tests/test_fresh.py::test_whoever_is_erased_between_the_plan_and_the_load_is_held_back",),
    ),
    Mutant(
        "a file that was replaced under its id is not fetched again",
        FILES,
        "    other = known is not None and _replaced(store, known, meta)\n",
        "    other = False\n",
        ("tests/test_files.py::test_a_file_that_was_replaced_under_its_id_is_fetched_again",),
    ),
    Mutant(
        "of what several workers record at once only the first is written",
        TOGETHER,
        "                for one in batch:\n                    one.work(connection)\n",
        "                for one in batch[:1]:\n                    one.work(connection)\n",
        (SHARED,),
    ),
    Mutant(
        "what is recorded during a commit returns before it is on disk",
        TOGETHER,
        "            self._change.wait_for(lambda: mine.is_over or not self._is_busy)\n"
        "            if not mine.is_over:\n",
        "            if not self._is_busy:\n",
        (SHARED,),
    ),
    Mutant(
        "what the database refuses of one row takes those of other workers with it",
        TOGETHER,
        "                    self._commit([one])\n",
        "                    one.error = error\n",
        ("tests/test_store.py::test_what_the_database_refuses_takes_no_other_write_with_it",),
    ),
]
