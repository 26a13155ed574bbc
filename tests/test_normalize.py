"""Normal forms: what is recognised, what is refused, and what must hold for any text."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.normalize import (
    best_matches,
    csv_plain,
    csv_safe,
    email_canonical,
    email_folded,
    file_name,
    is_html,
    is_placeholder_email,
    iso_to_ms,
    link_kind,
    linkedin_slug,
    location_parts,
    ms_to_iso,
    name_key,
    name_parts,
    name_scores,
    names_conflict,
    phone_e164,
    plain_text,
    split_text,
    text_safe,
)

ANY_TEXT = st.text(st.characters(codec=None), max_size=80)
MARKUP = st.lists(
    st.from_regex(
        r"[<>x &'\n]|</?(b|a|p|script|strong|svg/onload=z|textarea)>|<a href=|\"(javascript:x|https://x\.de)\"|"
        r"<img src=x onerror=y>|&lt;|<!--|-->",
        fullmatch=True,
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" Anna.Berg@Example.COM ", "anna.berg@example.com"),
        ("mailto:Anna%2Bjobs@example.com?subject=Hi", "anna+jobs@example.com"),
        ("Anna Berg <ANNA@example.test>", "anna@example.test"),
        ('"Berg, Anna" <anna@sub.domain.example>;', "anna@sub.domain.example"),
        ("<mailto:anna@example.org>", "anna@example.org"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("\u200banna@example.com\ufeff", "anna@example.com"),
        ("a@example.com, b@example.com", None),
        ("anna@localhost", None),
        ("anna at example.com", None),
        ("a..b@example.com", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_has_one_canonical_form_or_none(text, canonical):
    """Case, wrapping and IDNA differ; plus tags and dots are kept."""
    assert canonical == email_canonical(text)


@given(ANY_TEXT | st.emails() | st.emails().map(str.upper) | st.emails().map("mailto:{}".format))
def test_a_canonical_address_is_its_own_canonical_form(text):
    """Normalising twice changes nothing, and the domain is ASCII in lower case."""
    canonical = email_canonical(text)
    if canonical is not None:
        assert canonical == email_canonical(canonical)
        assert canonical.rpartition("@")[2].isascii()
        assert email_folded(canonical) == email_folded(email_folded(canonical))


def test_folding_removes_tags_and_the_dots_of_gmail_only():
    """The folded form is a hint for review."""
    assert email_folded("a.b+x@gmail.com") == "ab@gmail.com"
    assert email_folded("a.b@googlemail.com") == "ab@gmail.com"
    assert email_folded("a.b+x@example.com") == "a.b@example.com"
    assert email_folded("+x@example.com") == "+x@example.com"


@pytest.mark.parametrize(
    ("address", "placeholder"),
    [
        ("noemail@example.com", True),
        ("no.email123@agency.example", True),
        ("none@none.com", True),
        ("test@test.com", True),
        ("anyone@test.com", True),
        ("xxx@example.com", True),
        ("-@example.com", True),
        ("someone@mail.invalid", True),
        ("anna@example.com", False),
        ("tester.berg@example.com", False),
        ("nora@example.test", False),
        ("jobs@agency.example", False),
        ("123@qq.com", False),
    ],
)
def test_addresses_that_name_nobody_are_known(address, placeholder):
    """A placeholder joins nobody; a plain address is not mistaken for one."""
    assert is_placeholder_email(address) is placeholder


def test_a_phone_number_is_read_only_where_its_country_is_certain():
    """Without a prefix or a region the answer is None, never a guess."""
    assert phone_e164("+47 (555) 01-234") == "+4755501234"
    assert phone_e164("0047 555 01 234") == "+4755501234"
    assert phone_e164("tel:+4755501234") == "+4755501234"
    assert phone_e164("555 01 234") is None
    assert phone_e164("555 01 234", region="NO") == "+4755501234"
    assert phone_e164("+1 415 555 2671 ext. 5") == "+14155552671"
    assert phone_e164("+999 12") is None
    assert phone_e164("call me") is None
    assert phone_e164("") is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  Anna   Berg ", "anna berg"),
        ("José García-López", "jose garcia lopez"),
        ("Владимир Петров", "vladimir petrov"),
        ("O’Brien", "obrien"),
        ("Anna 🚀 Berg", "anna berg"),
        ("ＡＮＮＡ", "anna"),
        ("!!!", ""),
        (None, ""),
    ],
)
def test_a_name_key_is_plain_words(text, key):
    """Accents, scripts, punctuation and emoji do not matter."""
    assert key == name_key(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Anna Maria Berg", ("Anna Maria", "Berg")),
        ("Berg, Anna", ("Anna", "Berg")),
        ("Dr. Ludwig van der Berg, PhD", ("Ludwig", "van der Berg")),
        ("John Smith Jr.", ("John", "Smith")),
        ("Anna (she/her) Berg", ("Anna", "Berg")),
        ("Madonna", ("Madonna", "")),
        ("", ("", "")),
    ],
)
def test_a_name_has_given_and_family_parts(text, parts):
    """Titles, degrees, asides and generations are not part of either."""
    assert parts == name_parts(text)


NAMES = st.text(st.sampled_from("aZé0 \t'`,.()[]\"-_ÀßØ李\u00a0\u200b"), max_size=24)


@given(NAMES | ANY_TEXT)
def test_names_of_letters_and_spaces_take_a_short_way_to_the_same_end(text):
    """An apostrophe more is dropped, and an empty aside too: with them, any name goes the long way."""
    assert name_key(text) == name_key(text + "'")
    assert name_parts(text) == name_parts(text + " ()")
    assert names_conflict(text, "Ann Lee") == names_conflict(text + " ()", "Ann Lee")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Anna Berg", "anna  BERG"),
        ("A. Berg", "Anna Berg"),
        ("Anna M. Berg", "Anna Maria Berg"),
        ("Anna Maria Berg", "Anna Berg"),
        ("Berg, Anna", "Anna Berg"),
        ("Berg Anna", "Anna Berg"),
        ("Jürgen Müller", "Juergen Mueller"),
        ("Jürgen Müller", "Jurgen Muller"),
        ("Владимир Петров", "Vladimir Petrov"),
        ("王伟", "Wei Wang"),
        ("John O'Brien", "John O Brien"),
        ("Dr. Anna Berg, PhD", "Anna Berg"),
        ("John Smith Jr.", "John Smith, Junior"),
        ("", "Anna Berg"),
        ("anna@example.com", "Carl Dahl"),
    ],
)
def test_forms_of_one_name_do_not_conflict(a, b):
    """Case, order, initials, script, missing middle names."""
    assert names_conflict(a, b) is False
    assert names_conflict(b, a) is False


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Anna Berg", "Tom Berg"),
        ("Anna Berg", "Anna Dahl"),
        ("Bob King", "Robert King"),
        ("Alex Berg", "Alexandra Berg"),
        ("Erik Berg", "Erika Berg"),
        ("Anna M. Berg", "Anna K. Berg"),
        ("Mary Ann Berg", "Mary Beth Berg"),
        ("John Smith Jr.", "John Smith Sr."),
        ("John Smith Jr.", "John Smith"),
        ("Mr. Smith", "Mrs. Smith"),
        ("Smith", "John Smith"),
        ("Jack Yo Ma", "Jack Yo Lee"),
        ("A", "Anna Berg"),
    ],
)
def test_other_names_conflict(a, b):
    """What may be a relative, or only may be a form of the name, is for a person to decide."""
    assert names_conflict(a, b) is True
    assert names_conflict(b, a) is True


@given(ANY_TEXT, ANY_TEXT)
def test_a_name_never_conflicts_with_itself_and_conflict_has_no_direction(a, b):
    """For any text, whatever it is."""
    assert names_conflict(a, a) is False
    assert names_conflict(a, b) is names_conflict(b, a)


@pytest.mark.parametrize(
    ("text", "kind", "cleaned"),
    [
        ("linkedin.com/in/mara-l", "LinkedIn", "https://linkedin.com/in/mara-l"),
        ("HTTP://www.GitHub.com/Mara", "GitHub", "http://www.github.com/Mara"),
        ("https://x.com/mara", "Twitter", "https://x.com/mara"),
        ("mara.medium.com", "Medium", "https://mara.medium.com"),
        ("stackoverflow.com/users/1", "StackOverflow", "https://stackoverflow.com/users/1"),
        ("https://youtu.be/1?t=2", "YouTube", "https://youtu.be/1?t=2"),
        ("codepen.io/m", "CodePen", "https://codepen.io/m"),
        ("notgithub.com/mara", "Website", "https://notgithub.com/mara"),
        ("example.com:8080/a b", "Website", "https://example.com:8080/a%20b"),
        ("https://bücher.example/ä", "Website", "https://xn--bcher-kva.example/%C3%A4"),
        ("//example.com/a", "Website", "https://example.com/a"),
        ("javascript:alert(1)", "Other", None),
        (" java\nscript:alert(1)", "Other", None),
        ("data:text/html,x", "Other", None),
        ("https://user@example.com", "Other", None),
        ("mailto:a@example.com", "Other", None),
        ("https://[bad", "Other", None),
        ("see my portfolio", "Other", None),
        ("", "Other", None),
    ],
)
def test_links_are_sorted_and_cleaned(text, kind, cleaned):
    """Only plain http(s) addresses of a host get through."""
    assert (kind, cleaned) == link_kind(text)


@given(ANY_TEXT | MARKUP)
def test_a_cleaned_link_is_http_and_stays_as_it_is(text):
    """Whatever was typed."""
    kind, cleaned = link_kind(text)
    if cleaned is not None:
        assert cleaned.startswith(("http://", "https://"))
        assert cleaned.isascii()
        assert (kind, cleaned) == link_kind(cleaned)


def test_a_linkedin_slug_names_a_person():
    """Company pages and empty profiles name nobody."""
    assert linkedin_slug("https://no.linkedin.com/in/Mara-L/?trk=1") == "mara-l"
    assert linkedin_slug("linkedin.com/in/m%C3%A4ra") == "mära"
    assert linkedin_slug("linkedin.com/pub/mara/1/2/3") == "pub/mara/1/2/3"
    assert linkedin_slug("linkedin.com/company/acme") is None
    assert linkedin_slug("linkedin.com/in/") is None
    assert linkedin_slug("example.com/in/mara") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Oslo, Norway", {"city": "Oslo", "country": "Norway"}),
        ("München, Deutschland", {"city": "München", "country": "Germany"}),
        ("Austin, TX", {"city": "Austin", "region": "TX", "country": "United States"}),
        ("San Francisco, CA", {"city": "San Francisco", "region": "CA", "country": "United States"}),
        ("Toronto, CA", {"city": "Toronto", "country": "Canada"}),
        ("Toronto, ON, Canada", {"city": "Toronto", "region": "ON", "country": "Canada"}),
        ("1010 Vienna, Austria", {"city": "Vienna", "country": "Austria"}),
        ("California, USA", {"region": "California", "country": "United States"}),
        ("Portland, OR", {"city": "Portland", "region": "OR", "country": "United States"}),
        ("Trinidad and Tobago", {"country": "Trinidad and Tobago"}),
        ("Singapore", {"country": "Singapore"}),
        ("Berlin", {"city": "Berlin", "country": "Germany"}),
        ("Springfield, IL", {}),
        ("Georgia", {}),
        ("Tbilisi, Georgia", {}),
        ("Remote, Norway", {}),
        ("Oslo / Bergen", {}),
        ("Oslo or Bergen, Norway", {}),
        ("Greater Boston Area", {}),
        ("Nowhere", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_place_gives_only_its_certain_parts(text, parts):
    """An ambiguous code or a vague word gives nothing rather than a guess."""
    assert parts == location_parts(text)


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_times_survive_the_way_there_and_back(ms):
    """Every millisecond of the years 1 to 9999."""
    assert ms == iso_to_ms(ms_to_iso(ms))


def test_times_are_written_with_three_digits_and_a_z():
    """The form that both APIs use."""
    assert ms_to_iso(1706696430123) == "2024-01-31T10:20:30.123Z"
    assert ms_to_iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso_to_ms("2024-01-31T11:20:30.123999+01:00") == 1706696430123
    assert iso_to_ms("2024-01-31") == 1706659200000
    with pytest.raises(ValueError, match="years 1 to 9999"):
        ms_to_iso(10**18)


def test_html_becomes_lines_of_text():
    """Blocks, lists, links and entities; scripts go, a lone < stays."""
    html = (
        "<p>Hi&nbsp;<b>Ada</b></p><ul><li>one<li>two</ul>a<c and x < 3 <me@example.com><br>"
        '<a href="https://e.example?a=1&amp;b=2">here</a><a href="javascript:x">no</a><script>alert(1)</script>'
    )
    assert plain_text(html) == (
        "Hi Ada\n\n- one\n- two\na<c and x < 3 <me@example.com>\nhere (https://e.example?a=1&b=2)no"
    )
    assert plain_text(None) == ""
    assert plain_text("<a href=https://e.example/x>x</a> <a href='tel:+1'>call</a> <a href=/jobs>jobs</a>") == (
        "x (https://e.example/x) call (tel:+1) jobs (/jobs)"
    )
    assert plain_text('<p><img alt="a" src="https://e.example/p.png"><img src=data:x></p>').split() == [
        "(image:", "https://e.example/p.png)", "(image)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("<p>Good.</p><p>Hire.</p>", True),
        (" <div class='x'>One<br>two</div>\n", True),
        ("<div> must be closed by </div>", False),
        ("<p><img src='cid:1'></p>", True),
        ("<p> <br> </p>", False),
        ("<ul><li>a</li></ul><br/>", True),
        ("use <div> here", False),
        ("<p>Good.</p> and more", False),
        ("<me@example.com> wrote </p>", False),
        ("a < b", False),
        ("", False),
        (None, False),
    ],
)
def test_a_piece_of_html_is_told_from_text_that_names_a_tag(text, whole):
    """Only what begins and ends as HTML is taken for it."""
    assert is_html(text) is whole


@given(ANY_TEXT)
def test_safe_text_can_be_stored_anywhere(text):
    """It is valid UTF-8 without NUL, and safe already."""
    safe = text_safe(text)
    assert "\x00" not in safe
    assert safe.encode() == text_safe(safe).encode()


@given(ANY_TEXT, st.integers(min_value=1, max_value=30))
def test_the_parts_of_a_text_join_to_the_text(text, limit):
    """No part is too long, and only an empty text has an empty part."""
    parts = split_text(text, limit)
    assert text == "".join(parts)
    assert all(len(part) <= limit for part in parts)
    assert all(parts) or parts == [""]


def test_a_text_is_cut_between_paragraphs_lines_and_words():
    """And never before a combining mark."""
    assert split_text("one two\n\nthree", 10) == ["one two\n\n", "three"]
    assert split_text("one two three", 10) == ["one two ", "three"]
    assert split_text("aaaae\u0301b", 5) == ["aaaa", "e\u0301b"]
    with pytest.raises(ValueError, match="at least 1"):
        split_text("x", 0)


@pytest.mark.parametrize(
    "text", ["=1+1", " =x", "-abc", "+47 555 01 23", "＝x", "\t1", "\r=1", "\x00=1", "@a", "\u200b=1", "\n=1", "−x"]
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    """Also behind spaces and invisible characters."""
    assert csv_safe(text) == "'" + text
    assert csv_plain(csv_safe(text)) == text


@pytest.mark.parametrize("text", ["-5", "+3.2e5", "-1,234.5", "-5%", "a=b", "", "'a", "3-4"])
def test_numbers_and_plain_cells_stay(text):
    """The reader of the table sees what was written."""
    assert csv_safe(text) == text


@pytest.mark.parametrize("text", ["a;=1+1;b", "a\t@x", "a\n+1", "; '=1", ";'';=2", "x;\r\n = 1", "a; -5", ";=1"])
def test_a_formula_behind_a_semicolon_or_a_line_break_is_not_run_either(text):
    """A spreadsheet of another country parts cells at semicolons, whatever the file was written with."""
    safe = csv_safe(text)
    assert csv_plain(safe) == text
    for part in re.split("[;\t\r\n]", safe):
        assert not part.strip().startswith(("=", "+", "-", "@"))


@given(ANY_TEXT)
def test_a_safe_cell_stays_safe_through_a_csv_file(text):
    """No cell of a file starts a formula, and each comes back as it was."""
    safe = csv_safe(text_safe(text))
    assert csv_plain(safe) == text_safe(text)
    file = io.StringIO()
    csv.writer(file).writerow([safe, "x"])
    cell = next(csv.reader(io.StringIO(file.getvalue())))[0]
    assert not cell.lstrip().startswith(("=", "@"))


def test_file_names_are_safe_and_differ_by_id():
    """Paths, reserved names, direction marks, wrong lengths."""
    assert file_name("../../etc/passwd", "", lever_id="1") == "passwd 6b86b273ff"
    assert file_name("CON.pdf", ".pdf", lever_id="1") == "file CON 6b86b273ff.pdf"
    assert file_name("cv\u202efdp.exe", "pdf", lever_id="1") == "cvfdp.exe 6b86b273ff.pdf"
    assert file_name("CV.PDF", "pdf", lever_id="1") == "CV 6b86b273ff.PDF"
    assert file_name("a:b?.txt", None, lever_id="1") == "a_b_ 6b86b273ff.txt"
    assert file_name("", None, lever_id="1") == "file 6b86b273ff"
    assert file_name("CV.pdf", "pdf", lever_id="2") == "CV d4735e3a26.pdf"
    assert len(file_name("x" * 400 + ".pdf", "pdf", lever_id="1")) == 150


@given(ANY_TEXT, st.none() | st.text(max_size=12), ANY_TEXT)
def test_any_file_name_is_safe(name, ext, lever_id):
    """At most 150 characters and 240 bytes, no folder, no control character, no leading dot."""
    made = file_name(name, ext, lever_id=lever_id)
    assert 1 <= len(made) <= 150
    assert len(made.encode()) <= 240
    assert not set(made) & set('/\\:*?"<>|\n\t\x00')
    assert not made.startswith(".")
    assert made == made.strip()


def test_two_scorers_tell_hired_from_hired_elsewhere():
    """The best match has a margin; equal options have none."""
    options = {"1": "Hired elsewhere", "2": "Hired", "3": "Archived"}
    assert best_matches("hired", options, n=2) == [("2", "Hired", 1.0, 0.2881), ("3", "Archived", 0.7119, 0.0285)]
    assert best_matches("Offer", {"b": "Offer", "a": "Offer"}, n=1) == [("a", "Offer", 1.0, 0.0)]
    assert best_matches("x", {}) == []
    assert name_scores("Phone Screen", "Screen, phone")[0] == 1.0
    assert name_scores("", "x") == (0.0, 0.0)


@pytest.mark.parametrize(
    "text", ["=1", "'=1", "''=1", "a;=1", "a;'=1", "a;''=1;'", "'", "'a", "-5", "'''@x", " =1", "'\t"]
)
def test_every_cell_comes_back_as_it_was(text):
    """Also one that began with an apostrophe before it was written."""
    assert csv_plain(csv_safe(text)) == text
