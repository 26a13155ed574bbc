"""Step 4: what will be written. Decisions in small tables, resolved; then the plan, one row per Ashby call.

`propose` makes the tables, `decide` resolves the verdicts, `compile_plan` yields the rows, `Losses` counts what
does not arrive or arrives changed. Same raw answers and same decisions give the same plan, byte for byte.
"""

from lib.mapping.compile import compile_plan
from lib.mapping.decide import decide
from lib.mapping.draft import Draft
from lib.mapping.lessons import Outcome, refusals
from lib.mapping.losses import Losses
from lib.mapping.model import Decisions, Lessons
from lib.mapping.plan import PlanRow, plan_hash
from lib.mapping.propose import propose
from lib.mapping.scan import Scan, scanned
from lib.mapping.shown import row_id

__all__ = [
    "Decisions",
    "Draft",
    "Lessons",
    "Losses",
    "Outcome",
    "PlanRow",
    "Scan",
    "compile_plan",
    "decide",
    "plan_hash",
    "propose",
    "refusals",
    "row_id",
    "scanned",
]
