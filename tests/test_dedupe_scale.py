"""Dedupe of very many contacts: the same answer as a plain and slow one, in little memory, without growing too fast."""

import sys
import tracemalloc
from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contacts import Company
from lib.dedupe import DedupePolicy, Standing, contacts_table, dedupe
from lib.dedupe.columns import contacts_of
from lib.dedupe.engine import silent
from lib.normalize import (
    email_canonical,
    email_codes,
    email_folded,
    is_placeholder_email,
    link_kind,
    linkedin_slug,
    name_key,
    names_conflict,
    phone_e164,
)

NAMES = st.sampled_from(
    ["Anna Berg", "A. Berg", "ANNA BERG", "Tom Berg", "Anna Dahl", "", "Anna Maria Berg", "J. Berg", "x@example.org"]
)
ADDRESSES = st.sampled_from(
    [
        "x@example.org",
        "X@Example.org",
        "y@example.org",
        "mailto:y@example.org",
        "z@example.org",
        "x+1@example.org",
        "z@example.org; y@example.org",
        "noemail@example.com",
        "n/a",
        "a.b@gmail.com",
        "ab@gmail.com",
    ]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdefghij"),
            "name": NAMES,
            "emails": st.lists(ADDRESSES, max_size=3),
            "phones": st.lists(st.sampled_from(["+47 55 50 12 34", "0047 55501234", "12", "555 1234"]), max_size=1),
            "links": st.lists(st.sampled_from(["linkedin.com/in/a", "https://www.linkedin.com/in/A/"]), max_size=1),
            "location": st.sampled_from(["Oslo, Norway", "oslo norway", ""]),
            "created_ms": st.integers(0, 2),
            "is_anonymized": st.sampled_from([False, False, False, True]),
        }
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda row: row["id"],
)
VERDICTS = st.dictionaries(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("fghij")), st.sampled_from(["same", "different"]), max_size=2
)


def addresses(row):
    """The canonical addresses of a row that may be compared."""
    parts = [part for text in row["emails"] for part in text.split(";")]
    return set() if row["is_anonymized"] else {found for part in parts if (found := email_canonical(part))}


def together(groups, links):
    """Groups that links connect, put together: every link is tried until nothing changes."""
    groups = [set(group) for group in groups]
    for link in links:
        touched = [group for group in groups if group & set(link)]
        groups = [group for group in groups if group not in touched] + ([set().union(*touched)] if touched else [])
    return groups


def plainly(rows, verdicts):
    """The silent tier, said in the plainest words: sets of ids."""
    by_id = {row["id"]: row for row in rows}
    known = {pair: word for pair, word in verdicts.items() if set(pair) <= by_id.keys()}
    nodes = together([{key} for key in by_id], [pair for pair, word in known.items() if word == "same"])

    def names(node):
        shown = [by_id[key]["name"] for key in node if not by_id[key]["is_anonymized"]]
        return [name for name in shown if name and "@" not in name]

    def objection(some):
        for a, b in combinations(some, 2):
            if any(word == "different" and len(a & set(p)) == 1 == len(b & set(p)) for p, word in known.items()):
                return True
            pairs = [(x, y) for x in names(a) for y in names(b)]
            if pairs and all(names_conflict(x, y) for x, y in pairs):
                return True
        return False

    users = {}
    for node in nodes:
        for address in set().union(*(addresses(by_id[key]) for key in node)):
            users.setdefault(address, []).append(node)
    good = [some for address, some in users.items() if not is_placeholder_email(address) and not objection(some)]
    whole = together(nodes, [set().union(*some) for some in good])
    split = [[node for node in nodes if node <= group] for group in whole]
    people = [some if objection(some) else [set().union(*some)] for some in split]
    return sorted(sorted(person) for some in people for person in some)


def people_of(found):
    """The contacts of each person, as sorted lists."""
    return sorted(sorted(group) for group in found.members.groupby("person").contact.apply(list))


@settings(max_examples=150, deadline=None)
@given(ROWS, VERDICTS, st.randoms())
def test_the_silent_tier_says_what_its_rule_says_in_plain_words(rows, verdicts, chance):
    """For any contacts, in any order, with any verdicts."""
    mixed = pd.DataFrame(chance.sample(rows, len(rows)))
    assert plainly(rows, verdicts) == people_of(dedupe(mixed, verdicts=verdicts))


def keys(rows):
    """What a person with these rows can be found by, in plain words."""
    rows = [row for row in rows if not row["is_anonymized"]]
    names = {name_key(row["name"]) for row in rows if "@" not in row["name"]} - {""}
    places = {name_key(row["location"]) for row in rows} - {""}
    found = {("name and place", f"{name}, {place}") for name in names for place in places}
    return found.union(*map(own_keys, rows))


def own_keys(row):
    """What one row brings by itself."""
    found = {("email", form) for address in addresses(row) for form in (address, email_folded(address))}
    for phone in row["phones"]:
        digits = "".join(filter(str.isdigit, phone))
        number = phone_e164(phone) or ("?" + digits if len(digits) > 6 else None)
        found |= {("phone", number)} if number else set()
    return found | {("linkedin", slug) for link in row["links"] if (slug := linkedin_slug(link))}


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_every_value_that_people_have_in_common_is_a_block(rows):
    """With the number of people, counted one by one."""
    found = dedupe(pd.DataFrame(rows))
    by_id = {row["id"]: row for row in rows}
    people = [keys([by_id[key] for key in group]) for group in people_of(found)]
    several = {key: n for key in set().union(*people) if (n := sum(key in one for one in people)) > 1}
    assert several == {(block.kind, block.value): block.n_people for block in found.blocks.itertuples()}


WORDS = st.lists(
    st.sampled_from(
        ["a", "B", ".", "-", "+", "_", "@", "ex", ".org", "1", "é", " ", "'", "<", ";", "--", "x" * 40, "mailto:"]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(st.lists(WORDS, max_size=4))
def test_many_addresses_at_once_are_read_as_one_at_a_time(texts):
    """The short way is only taken where the long one says the same."""
    codes, index, odd = email_codes(texts)
    values = list(index)
    for text, code in zip(texts, codes, strict=True):
        assert email_canonical(text) == (email_canonical(values[code]) if code in odd else values[code])
        assert email_canonical(text) == email_canonical(f"<{text}>") or "<" in text or "'" in text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([1, 7, 20, 33, 39, 44, 47, 52, 54, 55, 61, 81, 225, 290, 380, 599, 800, 999]), st.data())
def test_a_plain_number_is_read_as_the_library_reads_it(code, data):
    """A dot among the digits means nothing, but makes the library read the number."""
    digits = f"{code}{data.draw(st.from_regex(r'0?[0-9]{1,13}', fullmatch=True))}"
    assert phone_e164(f"+{digits[:3]}.{digits[3:]}") == phone_e164(f"+{digits}")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["http://", "HTTPS://", "www.", "LinkedIn.com", "a", "-", ".", "/", "in", "co", "~", "_", "x.com"]
        ),
        max_size=7,
    ).map("".join)
)
def test_a_plain_link_is_cleaned_as_any_other(url):
    """Angle brackets around it mean nothing, but need the long way."""
    assert link_kind(f"<{url}>") == link_kind(url)


def silently(contacts):
    """The silent tier of a table."""
    return silent(contacts_of(contacts), existing=[], verdicts={}, policy=DedupePolicy(), standing=Standing())


def peak(do):
    """Bytes that were in use at most while something was done, beyond those before."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_silent_tier_needs_little_memory():
    """A million contacts must fit into 1 GB with their table: 400 bytes of work each is the most beside it."""
    contacts = contacts_table(Company(20_000), now_ms=1)[["id", "name", "emails", "created_ms", "is_anonymized"]]
    silently(contacts.head(100))  # what is read once is not counted
    assert peak(lambda: silently(contacts)) < 400 * len(contacts)


def test_people_are_made_one_after_the_other():
    """All rows of people together take many times what one after the other does."""
    found = dedupe(contacts_table(Company(2_000), now_ms=1))
    next(found.survivors())  # what is read once is not counted
    one = peak(lambda: [None for _ in found.survivors()])
    assert one * 4 < peak(lambda: found.people)


def calls(do):
    """How many functions were called: the same on every machine."""
    n = 0

    def count(frame, event, arg):
        nonlocal n
        n += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return n


@pytest.mark.parametrize("kind", ["company", "one mailbox", "one placeholder", "one name", "one telephone"])
def test_twice_the_contacts_are_twice_the_work(kind):
    """Also where all of them have one thing in common."""

    def table(n):
        if kind == "company":
            return contacts_table(Company(n), now_ms=1)
        rows = [{"id": f"{k:06d}", "name": f"Anna{'abcdefghij'[k % 10]} B{k % 97}erg{k}"} for k in range(n)]
        more = {
            "one mailbox": {"emails": ["jobs@agency.example"]},
            "one placeholder": {"emails": ["noemail@example.com"]},
            "one name": {"name": "Anna Berg", "location": "Oslo, Norway"},
            "one telephone": {"phones": ["+4755501234"]},
        }
        return pd.DataFrame([row | more[kind] for row in rows])

    small, large = table(1_000), table(4_000)
    dedupe(small)  # what is read once is not counted
    assert calls(lambda: dedupe(large)) < 4 * 1.25 * calls(lambda: dedupe(small))


def test_a_verdict_of_different_does_not_make_a_large_address_slow():
    """One verdict somewhere must not have every two of an agency's people looked at."""

    def table(n):
        return pd.DataFrame([{"id": f"{k:06d}", "name": "Anna Berg", "emails": ["x@example.org"]} for k in range(n)])

    verdicts = {("000001", "000002"): "different"}
    small, large = table(1_000), table(4_000)
    dedupe(small, verdicts=verdicts)
    assert calls(lambda: dedupe(large, verdicts=verdicts)) < 4 * 1.25 * calls(lambda: dedupe(small, verdicts=verdicts))
