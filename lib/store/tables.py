"""The tables of one customer's store. Bodies are JSON text in ASCII, so that odd characters survive any database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table
from sqlalchemy import String as AnyString
from sqlalchemy import Text as AnyText

metadata = MetaData()
Id = BigInteger().with_variant(Integer, "sqlite")
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")


def String(length: int) -> AnyString:  # noqa: N802 - reads as the type it is
    """Short text; like Text sorted byte by byte, whatever the server's locale is: plans must not depend on it."""
    return AnyString(length).with_variant(AnyString(length, collation="C"), "postgresql")


def _table(name: str, *columns: Column | Index) -> Table:
    return Table(name, metadata, *columns)


raw = _table(
    "raw",
    Column("raw_id", Id, primary_key=True, autoincrement=True),
    Column("stream", String(40), nullable=False),
    Column("lever_id", Text, nullable=False),
    Column("parent_id", Text, nullable=False, default=""),
    Column("fetched_ms", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", Text),  # NULL: seen to be gone
)
heads = _table(
    "heads",
    Column("stream", String(40), primary_key=True),
    Column("lever_id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False, default=""),
    Column("raw_id", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("gone", Integer, nullable=False, default=0),
    Index("heads_parent", "stream", "parent_id", "lever_id"),
)
windows = _table(
    "windows",
    Column("stream", String(40), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("n_rows", Integer, nullable=False, default=0),
    Column("basis", Text, nullable=False, default=""),
    Column("at_ms", BigInteger, nullable=False),
)
files = _table(
    "files",
    Column("lever_id", Text, primary_key=True),
    Column("stream", String(40), nullable=False),
    Column("opportunity_id", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("media_type", Text, nullable=False, default=""),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("state", String(20), nullable=False),  # stored | unavailable | failed
    Column("reason", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=1),
    Column("at_ms", BigInteger, nullable=False),
)
people = _table("people", Column("person", Text, primary_key=True), Column("body", Text, nullable=False))
members = _table(
    "members",
    Column("contact", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("why", Text),
    Index("members_person", "person"),
)
pairs = _table("pairs", Column("pair", Text, primary_key=True), Column("body", Text, nullable=False))
ashby = _table(
    "ashby",
    Column("kind", String(40), primary_key=True),
    Column("ashby_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
plan = _table(
    "plan",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("row_id", Text, nullable=False, unique=True),
    Column("kind", String(60), nullable=False),
    Column("lever_type", String(40), nullable=False),
    Column("lever_id", Text, nullable=False),
    Column("person", Text, nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("needs", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("link", Text),
)
ledger = _table(
    "ledger",
    Column("row_id", Text, primary_key=True),
    Column("state", String(20), nullable=False, index=True),
    Column("body_hash", String(64), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("ashby_id", Text),
    Column("code", Text, nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
    Column("request_id", Text, nullable=False, default=""),
    Column("first_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
unfinished = _table(
    "unfinished",  # people of the plan who may have open rows: see lib/store/unfinished.py
    Column("person", Text, primary_key=True),
    Column("n_rows", Integer, nullable=False, default=0),
    Column("begun", Integer, nullable=False, default=0),  # 1: the ledger knows a row of theirs
    Index("unfinished_begun", "begun", "person"),
)
calls = _table(
    "calls",
    Column("call_id", Id, primary_key=True, autoincrement=True),
    Column("row_id", Text, nullable=False, index=True),
    Column("endpoint", String(60), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("request_id", Text, nullable=False, default=""),
    Column("at_ms", BigInteger, nullable=False),
)
links = _table(
    "links",
    Column("link", Text, primary_key=True),  # e.g. candidate:<person>
    Column("ashby_type", String(40), nullable=False),
    Column("ashby_id", Text, nullable=False, index=True),
    Column("origin", String(20), nullable=False),  # created | existing
    Column("row_id", Text, nullable=False),
    Column("snapshot", Text),  # an existing object as it was when it was adopted
)
results = _table(
    "results",  # findings, losses, differences … of each step, replaced when the step runs again
    Column("step", String(20), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
meta = _table("meta", Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
lease = _table(
    "writer_lease",
    Column("lease", Integer, primary_key=True, autoincrement=False),
    Column("fence", Integer, nullable=False),
    Column("owner", Text, nullable=False, default=""),  # empty: nobody writes
    Column("host", Text, nullable=False, default=""),
    Column("machine", Text, nullable=False, default=""),  # this boot of this machine, and its process numbers
    Column("pid", Integer, nullable=False, default=0),
    Column("born", Text, nullable=False, default=""),  # when the process began: tells a reused number
    Column("step", Text, nullable=False, default=""),
    Column("since_ms", BigInteger, nullable=False, default=0),
    Column("beat_ms", BigInteger, nullable=False, default=0),
)
