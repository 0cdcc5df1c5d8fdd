"""The scenarios of `penstock bench insights`."""

from infra.bench.insights.kills import kills
from infra.bench.insights.planted import planted
from infra.bench.insights.speaking import speaking
from infra.bench.measure import Scenarios

INSIGHTS: Scenarios = {
    "planted": planted,  # how many of the planted rules the atlas names, and what it says where there are none
    "kills": kills,  # the insights service killed again and again: its tables against a recount of the topics
    "speaking": speaking,  # the five services at work: when `penstock insights` first says what is wrong
}
