"""Everything that is drawn: tables, headlines, gates, figures, masking, and the report that may be shared.

What these functions return knows whether it may be shared. `lib.report.export` takes into a masked report only what
says so, and masks it once more on its way; it is imported by itself, because nbconvert would cost every notebook's
kernel a second and a half.
"""

from lib.report.figures import (
    Picture,
    bars,
    call_mix,
    differences_by_field,
    forecast_against_actual,
    match_weights,
    people_match,
    pipeline_funnel,
    records_by_month,
)
from lib.report.masking import mask_text, safe_html
from lib.report.shown import Shown, gate, gate_banner, headline, note, table
from lib.report.tally import Tally, tally_ashby, tally_lever

__all__ = [
    "Picture",
    "Shown",
    "Tally",
    "bars",
    "call_mix",
    "differences_by_field",
    "forecast_against_actual",
    "gate",
    "gate_banner",
    "headline",
    "mask_text",
    "match_weights",
    "note",
    "people_match",
    "pipeline_funnel",
    "records_by_month",
    "safe_html",
    "table",
    "tally_ashby",
    "tally_lever",
]
