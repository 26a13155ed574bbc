"""Who is the same person: every trap on a small table written out whole, and what must hold for any table."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dedupe import DedupePolicy, contacts_table, dedupe, existing_table, read_contacts_csv
from lib.errors import ConfigError, GateError

SOME_MS = 1_700_000_000_000


def row(key, name, emails=(), **more):
    """One contact; `more` sets phones, links, location, headline, created_ms and so on."""
    return {
        "id": key,
        "name": name,
        "emails": list(emails),
        "created_ms": SOME_MS + ord(key[-1]),
        "n_opportunities": 1,
    } | more


def people_of(rows, **options):
    """The contacts of each person, as sorted lists."""
    members = dedupe(pd.DataFrame(rows), **options).members
    return sorted(sorted(group) for group in members.groupby("person").contact.apply(list))


def pairs_of(rows, **options):
    """(a, b, tier, verdict) of the pairs listed."""
    pairs = dedupe(pd.DataFrame(rows), **options).pairs
    return sorted(pairs[["a", "b", "tier", "verdict"]].itertuples(index=False, name=None))


def test_one_address_under_one_name_is_one_person():
    """Plain duplicates are joined without asking, also an initial and an address in another place."""
    rows = [
        row("a", "Robert King", ["robert@example.org"]),
        row("b", "R. King", ["rk@example.org", "robert@example.org"]),
        row("c", "ROBERT KING", ["rk@example.org"]),
        row("d", "Robert King", ["other@example.org"]),
    ]
    assert people_of(rows) == [["a", "b", "c"], ["d"]]
    members = dedupe(pd.DataFrame(rows)).members
    assert list(members.why) == ["same e-mail address"] * 3 + ["only contact"]
    assert list(members.person) == ["a", "a", "a", "d"]


def test_an_address_written_in_another_way_is_the_same():
    """Case, mailto: and a display name do not make another person."""
    rows = [
        row("a", "Mara Lind", ["Mara.Lind@Example.org"]),
        row("b", "Mara Lind", ["mailto:mara.lind@example.org"]),
        row("c", "Mara Lind", ['"Lind, Mara" <MARA.LIND@EXAMPLE.ORG>']),
    ]
    assert people_of(rows) == [["a", "b", "c"]]


def test_an_agency_mailbox_joins_nobody():
    """An address under several surnames is shared; not even two of one name are joined by it."""
    names = ["Anna Berg", "Tom Dahl", "Ines Ek", "Olaf Falk", "Rita Gren", "Anna Berg"]
    rows = [row(f"p{n}", name, ["jobs@agency.example"]) for n, name in enumerate(names)]
    assert [[f"p{n}"] for n in range(6)] == people_of(rows)
    assert pairs_of(rows) == [("p0", "p5", "silent-refused", "")]
    blocks = dedupe(pd.DataFrame(rows)).blocks
    assert list(blocks.itertuples(index=False, name=None)) == [
        ("email", "jobs@agency.example", 6, 15, 15, "shared mailbox")
    ]


def test_a_placeholder_address_joins_nobody():
    """What was typed because a field demanded it names nobody, even under one name."""
    rows = [
        row("a", "Anna Berg", ["noemail@example.com"]),
        row("b", "Anna Berg", ["noemail@example.com"]),
        row("c", "Tom Dahl", ["noemail@example.com"]),
        row("d", "Tom Dahl", ["none@none.com"]),
        row("e", "Ines Ek", ["test@test.com"]),
    ]
    assert people_of(rows) == [["a"], ["b"], ["c"], ["d"], ["e"]]
    assert pairs_of(rows) == [("a", "b", "silent-refused", "")]


def test_a_family_mailbox_is_for_review():
    """One surname, two given names: never joined silently."""
    rows = [row("a", "Anna Berg", ["berg@example.org"]), row("b", "Tom Berg", ["berg@example.org"])]
    assert people_of(rows) == [["a"], ["b"]]
    assert pairs_of(rows) == [("a", "b", "silent-refused", "")]


def test_names_that_conflict_through_a_third_contact_are_for_review():
    """J. may be John or Jane: two addresses that are fine alone are refused together."""
    rows = [
        row("a", "John Smith", ["one@example.org"]),
        row("b", "J. Smith", ["one@example.org", "two@example.org"]),
        row("c", "Jane Smith", ["two@example.org"]),
    ]
    assert people_of(rows) == [["a"], ["b"], ["c"]]
    assert pairs_of(rows) == [("a", "b", "silent-refused", ""), ("b", "c", "silent-refused", "")]


def test_a_plus_tag_is_for_review():
    """Another tag may be another person; phone and profile make it likely, a verdict makes it so."""
    rows = [
        row("a", "Mara Lind", ["mara@example.org"], phones=["+47 555 01 234"], links=["linkedin.com/in/mara-l"]),
        row(
            "b",
            "Mara Lind",
            ["mara+jobs@example.org"],
            phones=["0047 55501234"],
            links=["https://www.linkedin.com/in/Mara-L/"],
        ),
    ]
    assert people_of(rows) == [["a"], ["b"]]
    pair = dedupe(pd.DataFrame(rows)).pairs.iloc[0]
    assert (pair.tier, pair.score) == ("review", 1.0)
    assert pair.reasons == "same mailbox but for a tag or dots; same LinkedIn profile; same phone number; same name"
    assert people_of(rows, verdicts={("b", "a"): "same"}) == [["a", "b"]]


def test_namesakes_stay_apart():
    """One name in two places is two people, and not worth a question."""
    rows = [
        row("a", "Anna Berg", ["a@example.org"], location="Oslo, Norway"),
        row("b", "Anna Berg", ["b@example.org"], location="Austin, TX"),
        row("c", "Anna Berg", ["c@example.org"]),
    ]
    assert people_of(rows) == [["a"], ["b"], ["c"]]
    assert pairs_of(rows) == []


def test_one_name_in_one_place_is_for_review_until_it_is_common():
    """A pair in one town is a question; five in one town have a common name."""
    rows = [row(f"p{n}", "Anna Berg", [f"{n}@example.org"], location="Oslo, Norway") for n in range(5)]
    assert pairs_of(rows[:2]) == [("p0", "p1", "review", "")]
    assert pairs_of(rows) == []


def test_a_changed_surname_is_for_review():
    """Only the profile tells; a person decides."""
    rows = [
        row("a", "Anna Berg", ["anna.berg@example.org"], links=["linkedin.com/in/anna-b"]),
        row("b", "Anna Dahl", ["anna.dahl@example.org"], links=["linkedin.com/in/anna-b"]),
    ]
    assert people_of(rows) == [["a"], ["b"]]
    assert pairs_of(rows) == [("a", "b", "review", "")]


def test_a_couple_with_one_phone_stays_apart():
    """A shared phone under two given names is no question either."""
    rows = [
        row("a", "Anna Berg", ["anna@example.org"], phones=["+47 555 01 234"]),
        row("b", "Tom Berg", ["tom@example.org"], phones=["+47 555 01 234"]),
    ]
    assert people_of(rows) == [["a"], ["b"]]
    assert pairs_of(rows) == []


def test_a_transliterated_name_is_the_same_name():
    """With one address they are one person; with one phone they are a question."""
    rows = [
        row("a", "Юлия Соколова", ["julia@example.org"], phones=["+44 7700 900018"]),
        row("b", "Yuliya Sokolova", ["julia@example.org"]),
        row("c", "Yulia Sokolova", ["yulia@example.org"], phones=["+44 7700 900018"]),
    ]
    assert people_of(rows) == [["a", "b"], ["c"]]
    assert pairs_of(rows) == [("a", "c", "review", "")]


def test_people_without_an_address_stay_apart():
    """Even with one name and one moment of creation."""
    rows = [row("a", "Anna Berg", created_ms=SOME_MS), row("b", "Anna Berg", created_ms=SOME_MS), row("c", "")]
    result = dedupe(pd.DataFrame(rows))
    assert list(result.people.person) == ["a", "b", "c"]
    assert list(result.people.email) == [None, None, None]
    assert list(result.pairs.a) == []


def test_anonymised_people_are_never_compared():
    """Whatever was left in their fields."""
    rows = [
        row("a", "Anna Berg", ["anna@example.org"], is_anonymized=True),
        row("b", "Anna Berg", ["anna@example.org"]),
    ]
    assert people_of(rows) == [["a"], ["b"]]
    assert pairs_of(rows) == []
    assert list(dedupe(pd.DataFrame(rows)).people.is_anonymized) == [True, False]


def test_hostile_texts_are_only_texts():
    """A link that runs code is written nowhere and listed."""
    rows = [
        row(
            "a",
            "<script>alert(1)</script>",
            ["a@example.org"],
            headline="=cmd|' /C calc'!A0",
            links=["javascript:alert(1)"],
        )
    ]
    result = dedupe(pd.DataFrame(rows))
    person = result.people.iloc[0]
    assert (person["name"], person.headline) == ("<script>alert(1)</script>", "=cmd|' /C calc'!A0")
    assert (person.website, person.social, person.other_links) == (None, [], [])
    assert list(result.conflicts.itertuples(index=False, name=None)) == [("a", "link", "", ["javascript:alert(1)"])]


def test_a_missing_name_does_not_speak_against_one_person():
    """But where others conflict at the address, nobody is joined."""
    rows = [row("a", "Anna Berg", ["x@example.org"]), row("b", "", ["x@example.org"])]
    assert people_of(rows) == [["a", "b"]]
    rows.append(row("c", "Tom Dahl", ["x@example.org"]))
    assert people_of(rows) == [["a"], ["b"], ["c"]]


def test_a_known_shared_mailbox_joins_nobody():
    """The policy can name addresses that the data does not give away."""
    rows = [row("a", "Anna Berg", ["hr@example.org"]), row("b", "Anna Berg", ["hr@example.org"])]
    policy = DedupePolicy(shared_mailboxes=frozenset({"hr@example.org"}))
    assert people_of(rows) == [["a", "b"]]
    assert people_of(rows, policy=policy) == [["a"], ["b"]]


def test_a_national_number_is_compared_by_the_region_of_the_policy():
    """Without a region it is equal only to the same digits."""
    rows = [
        row("a", "Mara Lind", ["a@example.org"], phones=["555 01 234"]),
        row("b", "Mara Lind", ["b@example.org"], phones=["+4755501234"]),
        row("c", "Mara Lind", ["c@example.org"], phones=["55501234"]),
    ]
    assert pairs_of(rows) == [("a", "c", "review", "")]
    everybody = [("a", "b", "review", ""), ("a", "c", "review", ""), ("b", "c", "review", "")]
    assert everybody == pairs_of(rows, policy=DedupePolicy(region="NO"))


def test_a_verdict_joins_and_a_verdict_separates():
    """Both are listed with the pair; what follows from them is not asked again."""
    rows = [row("a", "Anna Berg", ["x@example.org"]), row("b", "Anna Berg", ["x@example.org"]), row("c", "Tom Dahl")]
    verdicts = {("a", "b"): "different", ("c", "b"): "same"}
    assert people_of(rows, verdicts=verdicts) == [["a"], ["b", "c"]]
    expected = [("a", "b", "silent-refused", "different"), ("b", "c", "review", "same")]
    assert expected == pairs_of(rows, verdicts=verdicts)
    assert dedupe(pd.DataFrame(rows), verdicts=verdicts).members.set_index("contact").why["c"] == "verdict of a person"


def test_a_verdict_of_different_stops_the_silent_tier_for_the_whole_address():
    """Nobody can tell which of the two the third one is: that is a question again."""
    rows = [row(key, "Anna Berg", ["x@example.org"]) for key in "abc"]
    verdicts = {("a", "b"): "different"}
    assert people_of(rows, verdicts=verdicts) == [["a"], ["b"], ["c"]]
    expected = [
        ("a", "b", "silent-refused", "different"),
        ("a", "c", "silent-refused", ""),
        ("b", "c", "silent-refused", ""),
    ]
    assert expected == pairs_of(rows, verdicts=verdicts)
    assert people_of(rows, verdicts=verdicts | {("a", "c"): "same"}) == [["a", "c"], ["b"]]


@pytest.mark.parametrize(
    ("verdicts", "pair"),
    [
        ({("a", "b"): "same", ("b", "c"): "same", ("a", "c"): "different"}, "a|c"),
        ({("a", "b"): "same", ("b", "a"): "different"}, "a|b"),
        ({("a", "a"): "different"}, "a|a"),
        ({("a", "b"): "maybe"}, "a|b"),
    ],
)
def test_verdicts_that_contradict_each_other_stop_the_step(verdicts, pair):
    """The message names the pair."""
    rows = [row(key, "Anna Berg") for key in "abc"]
    with pytest.raises(GateError) as stopped:
        dedupe(pd.DataFrame(rows), verdicts=verdicts)
    assert pair in str(stopped.value)


def test_verdicts_of_records_that_are_gone_have_no_effect():
    """A contact may have been deleted or merged in Lever since; an empty verdict is an open one."""
    rows = [row("a", "Anna Berg"), row("b", "Anna Berg")]
    verdicts = {("a", "gone"): "same", ("b", "gone"): "same", ("a", "b"): ""}
    assert people_of(rows, verdicts=verdicts) == [["a"], ["b"]]


EXISTING = existing_table(
    [
        {
            "id": "ashby-1",
            "name": "Anna Berg",
            "createdAt": "2024-01-01T00:00:00.000Z",
            "primaryEmailAddress": {"value": "Anna@example.org", "type": "Personal", "isPrimary": True},
            "emailAddresses": [{"value": "anna2@example.org", "type": "Work", "isPrimary": False}],
            "phoneNumbers": [],
            "socialLinks": [{"type": "LinkedIn", "url": "https://linkedin.com/in/anna-b"}],
            "location": {"id": "x", "locationSummary": "Oslo, Norway"},
        },
        {"id": "ashby-2", "name": "Tom Dahl", "primaryEmailAddress": None, "emailAddresses": [], "socialLinks": []},
    ]
)


def matches_of(rows, **options):
    """(person, ashby_id, match) of every person."""
    matches = dedupe(pd.DataFrame(rows), **({"existing": EXISTING} | options)).matches
    return list(matches[["person", "ashby_id", "match"]].itertuples(index=False, name=None))


def test_people_that_ashby_has_are_found_by_the_same_rules():
    """One address and name: exists. Another name, a shared profile: review. A namesake: new."""
    assert matches_of([row("a", "A. Berg", ["anna2@example.org"])]) == [("a", "ashby-1", "exists")]
    assert matches_of([row("a", "Carl Ek", ["anna@example.org"])]) == [("a", None, "review")]
    assert matches_of([row("a", "Anna Ek", ["e@example.org"], links=["linkedin.com/in/anna-b"])]) == [
        ("a", None, "review")
    ]
    assert matches_of([row("a", "Tom Dahl", ["tom@example.org"], location="Austin, TX")]) == [("a", None, "new")]
    assert matches_of([row("a", "Anna Berg", ["anna@example.org"], is_anonymized=True)]) == [("a", None, "new")]
    assert matches_of([row("a", "Anna Berg", ["anna@example.org"])], existing=None) == [("a", None, "new")]


def test_a_shared_mailbox_does_not_match_a_candidate():
    """Who of them Ashby has is a question."""
    rows = [row("a", "Anna Berg", ["anna@example.org"]), row("b", "Tom Falk", ["anna@example.org"])]
    assert matches_of(rows) == [("a", None, "review"), ("b", None, "review")]


def test_two_people_never_become_one_candidate_silently():
    """Each address is the candidate's: both people wait for a verdict, which joins them."""
    rows = [row("a", "Anna Berg", ["anna@example.org"]), row("b", "Anna Berg", ["anna2@example.org"])]
    assert matches_of(rows) == [("a", None, "review"), ("b", None, "review")]
    reasons = dedupe(pd.DataFrame(rows), existing=EXISTING).pairs.reasons
    assert list(reasons) == ["same e-mail address; same name; 2 people of Lever fit"] * 2
    verdicts = {("a", "ashby-1"): "same", ("b", "ashby-1"): "same"}
    assert matches_of(rows, verdicts=verdicts) == [("a", "ashby-1", "exists")]
    assert matches_of(rows, verdicts={("b", "ashby-1"): "different"}) == [
        ("a", "ashby-1", "exists"),
        ("b", None, "new"),
    ]


def test_two_candidates_that_fit_one_person_are_for_review():
    """A duplicate in Ashby is never chosen by chance; calling both the same is refused."""
    twice = pd.concat([EXISTING, EXISTING.assign(id=["ashby-4", "ashby-3"])])
    rows = [row("a", "Anna Berg", ["anna@example.org"])]
    assert matches_of(rows, existing=twice) == [("a", None, "review")]
    assert matches_of(rows, existing=twice, verdicts={("ashby-3", "a"): "same"}) == [("a", "ashby-3", "exists")]
    with pytest.raises(GateError, match=r"ashby-1\|ashby-3"):
        matches_of(rows, existing=twice, verdicts={("a", "ashby-1"): "same", ("a", "ashby-3"): "same"})


def test_a_survivor_keeps_or_lists_everything():
    """The row of a person with two contacts, written out whole."""
    rows = [
        row(
            "a", "A. Berg", ["old@example.org", "n/a", "noemail@example.com"], headline="Old Ltd",
            location="Bergen, Norway",
            phones=["+47 555 01 234", "ask Tom"],
            links=["linkedin.com/in/anna", "github.com/anna", "my page", "anna.example"],
            created_ms=SOME_MS, last_ms=SOME_MS + 5, n_opportunities=2, consent="denied",
        ),
        row(
            "b", "Anna Berg", ["new@example.org; old@example.org"], headline="New AS",
            location="Oslo, Norway",
            phones=["0047 55501234", "+47 555 09 999"],
            links=["https://www.linkedin.com/in/anna/", "linkedin.com/in/anna-2", "x.com/anna"],
            created_ms=SOME_MS + 9, last_ms=SOME_MS + 99, n_opportunities=1, consent="allowed",
        ),
    ]  # fmt: skip
    result = dedupe(pd.DataFrame(rows))
    assert result.people.iloc[0].to_dict() == {
        "person": "a",
        "name": "Anna Berg",
        "email": "new@example.org",
        "alternate_emails": ["old@example.org", "noemail@example.com"],
        "phone": "0047 55501234",
        "other_phones": ["+47 555 09 999", "ask Tom"],
        "linkedin": "https://www.linkedin.com/in/anna/",
        "github": "https://github.com/anna",
        "website": "https://anna.example",
        "social": [{"type": "Twitter", "url": "https://x.com/anna"}],
        "other_links": ["https://linkedin.com/in/anna-2", "my page"],
        "headline": "New AS",
        "location": "Oslo, Norway",
        "city": "Oslo",
        "region": None,
        "country": "Norway",
        "created_ms": SOME_MS,
        "n_contacts": 2,
        "n_opportunities": 3,
        "is_anonymized": False,
        "consent": "denied",
        "ashby_id": None,
        "match": "new",
    }
    assert list(result.conflicts.itertuples(index=False, name=None)) == [
        ("a", "name", "Anna Berg", ["A. Berg"]),
        ("a", "headline", "New AS", ["Old Ltd"]),
        ("a", "location", "Oslo, Norway", ["Bergen, Norway"]),
        ("a", "consent", "denied", ["allowed"]),
        ("a", "email", "new@example.org", ["n/a"]),
    ]


def test_contacts_come_from_opportunities_expanded_or_not():
    """The newest values win, all distinct ones are kept, consent is judged at the given moment."""
    opportunities = [
        {
            "id": "o1", "contact": "c1", "name": "A. Berg", "headline": "Old",
            "location": "Oslo", "createdAt": 100, "updatedAt": None,
            "emails": ["a@example.org"], "phones": [{"type": None, "value": "1"}], "links": ["l1"],
            "dataProtection": {"store": {"allowed": True, "expiresAt": 900}}, "isAnonymized": False,
        },
        {
            "id": "o2", "name": "", "headline": "", "location": "",
            "createdAt": 50, "updatedAt": 500, "links": ["l2", "l1"],
            "emails": ["b@example.org"], "phones": [], "dataProtection": None, "isAnonymized": False,
            "contact": {
                "id": "c1", "name": "Anna Berg", "headline": "New", "location": {"name": "Bergen, Norway"},
                "emails": ["b@example.org"], "phones": [{"type": "home", "value": "2"}],
            },
        },
        {"id": "o3", "contact": None, "name": "Nobody", "createdAt": 1},
    ]  # fmt: skip
    expected = {
        "id": "c1", "name": "Anna Berg", "headline": "New", "location": "Bergen, Norway",
        "emails": ["b@example.org", "a@example.org"], "phones": ["2", "1"], "links": ["l2", "l1"],
        "names": ["Anna Berg", "A. Berg"], "headlines": ["New", "Old"], "locations": ["Bergen, Norway", "Oslo"],
        "created_ms": 50, "last_ms": 500, "n_opportunities": 2, "is_anonymized": False, "consent": "allowed",
    }  # fmt: skip
    assert [expected] == contacts_table(opportunities, now_ms=800).to_dict("records")
    assert [expected] == contacts_table(reversed(opportunities), now_ms=800).to_dict("records")
    assert list(contacts_table(opportunities, now_ms=900).consent) == ["expired"]
    assert list(contacts_table([]).id) == []


@pytest.mark.parametrize(
    ("protection", "consent"),
    [
        (None, "unknown"),
        ({"interviewIntelligence": {"allowed": True}}, "unknown"),
        ({"store": None}, "unknown"),
        ({"store": {"allowed": True, "expiresAt": None}}, "allowed"),
        ({"store": {"allowed": True, "expiresAt": 99}}, "expired"),
        ({"store": {"allowed": False, "expiresAt": 999}}, "denied"),
    ],
)
def test_consent_is_read_from_the_right_to_store(protection, consent):
    """Not from the right to contact, and never assumed."""
    opportunity = {"id": "o", "contact": "c", "createdAt": 1, "dataProtection": protection}
    assert [consent] == list(contacts_table([opportunity], now_ms=100).consent)


def test_any_csv_of_people_can_be_read(tmp_path):
    """Lists are JSON or separated by semicolons; rows with one id are one person."""
    file = tmp_path / "people.csv"
    file.write_text(
        "id,name,headline,location,emails,phones,links\n"
        'a,Anna Berg,Acme,"Oslo, Norway",a@example.org; b@example.org,,"[""linkedin.com/in/anna""]"\n'
        "a,Anna Berg,,,c@example.org,+4755501234,\n"
        "b,Anna Berg,,,[a@example.org],,\n",
        encoding="utf-8-sig",
    )
    contacts = read_contacts_csv(file)
    assert list(contacts.id) == ["a", "b"]
    assert sorted(contacts.emails[0]) == ["a@example.org", "b@example.org", "c@example.org"]
    assert (contacts.phones[0], contacts.links[0]) == (["+4755501234"], ["linkedin.com/in/anna"])
    assert people_of(contacts) == [["a", "b"]]


def test_a_csv_without_ids_is_refused(tmp_path):
    """The message names the file and the line."""
    file = tmp_path / "people.csv"
    file.write_text("name\nAnna Berg\n")
    with pytest.raises(ConfigError, match="column missing: id"):
        read_contacts_csv(file)
    file.write_text("id,name\na,Anna Berg\n,Tom Dahl\n")
    with pytest.raises(ConfigError, match=r"people\.csv:3"):
        read_contacts_csv(file)


def test_a_large_block_is_followed_in_linear_number():
    """200 people on one placeholder make no 19,900 pairs; the block says what was not compared."""
    rows = [row(f"p{n:03d}", f"Anna {'BCD'[n % 3]}erg", ["noemail@example.com"]) for n in range(200)]
    result = dedupe(pd.DataFrame(rows))
    assert len(result.people) == 200
    assert tuple(result.blocks.iloc[0][["n_people", "n_pairs", "n_compared", "reason"]]) == (
        200,
        19900,
        197,
        "placeholder address",
    )
    assert len(result.pairs) == 197


def test_no_contacts_give_empty_tables():
    """With all their columns."""
    result = dedupe(contacts_table([]))
    assert [
        len(t) for t in (result.people, result.members, result.pairs, result.matches, result.conflicts, result.blocks)
    ] == [0] * 6
    assert list(result.pairs.columns) == ["a", "b", "tier", "score", "reasons", "verdict", "kind"]


NAMES = st.sampled_from(["Anna Berg", "A. Berg", "Tom Berg", "Anna Dahl", "", "Anna Maria Berg"])
ADDRESSES = st.sampled_from(
    ["x@example.org", "X@Example.org", "y@example.org", "x+1@example.org", "noemail@example.com", "n/a"]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdefgh"),
            "name": NAMES,
            "emails": st.lists(ADDRESSES, max_size=2),
            "phones": st.lists(st.sampled_from(["+4755501234", "0047 55501234", "12"]), max_size=2),
            "links": st.lists(
                st.sampled_from(["linkedin.com/in/a", "linkedin.com/in/b", "a.example", "data:x"]), max_size=2
            ),
            "location": st.sampled_from(["Oslo, Norway", ""]),
            "created_ms": st.integers(0, 3),
        }
    ),
    min_size=1,
    max_size=7,
)
VERDICTS = st.dictionaries(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")),
    st.sampled_from(["same", "different", ""]),
    max_size=3,
)


def outcome(rows, verdicts, known):
    """The result, or the message of the gate that stopped it."""
    try:
        return dedupe(pd.DataFrame(rows), existing=known, verdicts=verdicts)
    except GateError as stopped:
        return str(stopped)


@settings(max_examples=60, deadline=None)
@given(ROWS, VERDICTS, st.randoms())
def test_the_result_does_not_depend_on_row_order(rows, verdicts, chance):
    """All six tables are equal, or the same verdicts are refused."""
    mixed = chance.sample(rows, len(rows))
    known = EXISTING.assign(emails=[["x@example.org"], ["y@example.org"]])
    one = outcome(rows, verdicts, known)
    two = outcome(mixed, verdicts, known.iloc[::-1])
    if isinstance(one, str) or isinstance(two, str):
        assert one == two
        return
    for table in ("people", "members", "pairs", "matches", "conflicts", "blocks"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(two, table))


@settings(max_examples=60, deadline=None)
@given(ROWS, VERDICTS)
def test_every_contact_is_in_one_person_and_nothing_is_lost(rows, verdicts):
    """Verdicts hold, and every value of every contact is kept or listed."""
    try:
        result = dedupe(pd.DataFrame(rows), verdicts=verdicts)
    except GateError:
        return
    person_of = dict(zip(result.members.contact, result.members.person, strict=True))
    assert sorted({found["id"] for found in rows}) == sorted(result.members.contact)
    for (a, b), word in verdicts.items():
        if word and a in person_of and b in person_of:
            assert (word == "same") is (person_of[a] == person_of[b])
    conflicts = {(found.person, found.field): found.others for found in result.conflicts.itertuples()}
    people = result.people.set_index("person")
    for found in rows:
        key = person_of[found["id"]]
        person = people.loc[key]
        emails = [person.email, *person.alternate_emails, *conflicts.get((key, "email"), ())]
        assert {email.lower() for email in found["emails"]} <= set(emails)
        assert found["name"] in ("", person["name"], *conflicts.get((key, "name"), ()))
        assert found["location"] in ("", person.location, *conflicts.get((key, "location"), ()))
        links = [person.linkedin, person.website, *person.other_links, *conflicts.get((key, "link"), ())]
        assert {link if ":" in link else f"https://{link}" for link in found["links"]} <= set(links)
        phones = {phone.replace("0047 ", "+47") for phone in (person.phone, *person.other_phones) if phone}
        assert {phone.replace("0047 ", "+47") for phone in found["phones"]} <= phones
