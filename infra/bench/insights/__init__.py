"""The scenarios of `penstock bench insights`."""

from infra.bench.insights.planted import planted
from infra.bench.measure import Scenarios

INSIGHTS: Scenarios = {
    "planted": planted,  # how many of the planted rules the atlas names, and what it says where there are none
}
