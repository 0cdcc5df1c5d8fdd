"""The scenarios of `penstock bench insights`."""

from infra.bench.insights.audit import audit
from infra.bench.insights.cost import cost
from infra.bench.insights.journal import journal
from infra.bench.insights.kills import kills
from infra.bench.insights.planted import planted
from infra.bench.insights.speaking import speaking
from infra.bench.measure import Scenarios

INSIGHTS: Scenarios = {
    "audit": audit,  # a run with faults holds, and losses and duplicates that are planted in it are all found
    "journal": journal,  # events a second into the journal, and the same tables after ten kills from nothing
    "planted": planted,  # how many of the planted rules the atlas names, and what it says where there are none
    "kills": kills,  # the insights service killed again and again: its tables against a recount of the topics
    "speaking": speaking,  # the five services at work: when `penstock insights` first says what is wrong
    "cost": cost,  # calls of a run with faults and kills: our account, the metrics and the provider's bill are equal
}
