"""Who is the same person: contacts of Lever, and candidates that Ashby has already, as people and pairs to review.

Tables in, tables out. Two contacts are joined without asking only when they share an e-mail address that speaks for
one person; everything else is a pair that waits for a recorded verdict. The result does not depend on row order.
"""

from lib.dedupe.engine import Result, dedupe, people_table
from lib.dedupe.policy import SAME_FROM, DedupePolicy
from lib.dedupe.standing import Standing
from lib.dedupe.tables import contacts_table, existing_table, read_contacts_csv

__all__ = [
    "SAME_FROM",
    "DedupePolicy",
    "Result",
    "Standing",
    "contacts_table",
    "dedupe",
    "existing_table",
    "people_table",
    "read_contacts_csv",
]
