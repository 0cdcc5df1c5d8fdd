"""The scenarios of `penstock bench insights`."""

from infra.bench.insights.cost import cost
from infra.bench.measure import Scenarios

INSIGHTS: Scenarios = {
    "cost": cost,  # calls of a run with faults and kills: our account, the metrics and the provider's bill are equal
}
