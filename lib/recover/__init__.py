"""A lost store: what stands in Ashby is told by its marks, and the ledger is written anew from it.

1. `ours`: before there is a plan, which objects in Ashby are ours (else they would be taken for strangers).
2. the steps dedupe and map make the plan again, as before.
3. `Attach`: each row of the plan is looked for: by mark, by looks, by what hangs on it. What is there is done; what is
   not there is sent by the next load; what could be either is parked for a person.
Nothing is ever written to Ashby here.
"""

from lib.recover.attach import Attach
from lib.recover.ours import Contact, Crosswalk, Known, ours, verdict_is_new
from lib.recover.report import Report, lines, report
from lib.recover.room import make_room
from lib.recover.set_up import unlike
from lib.recover.world import World, cut_application, cut_feedback, marks_in, submissions

__all__ = [
    "Attach", "Contact", "Crosswalk", "Known", "Report", "World", "cut_application", "cut_feedback",
    "lines", "make_room", "marks_in", "ours", "report", "submissions", "unlike", "verdict_is_new",
]  # fmt: skip
