"""The scenarios of `penstock bench insights`."""

from infra.bench.insights.audit import audit
from infra.bench.insights.journal import journal
from infra.bench.measure import Scenarios

INSIGHTS: Scenarios = {
    "audit": audit,  # a run with faults holds, and losses and duplicates that are planted in it are all found
    "journal": journal,  # events a second into the journal, and the same tables after ten kills from nothing
}
