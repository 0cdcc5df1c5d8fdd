"""The scenarios of `penstock bench failures`."""

from infra.bench.failures.limits import limits
from infra.bench.failures.outage import outage
from infra.bench.measure import Scenarios

FAILURES: Scenarios = {
    "outage": outage,  # a provider down for minutes, with a chain that waits and with one that falls back
    "limits": limits,  # how much of a provider's limits four workers use together, and how often it says no
}
