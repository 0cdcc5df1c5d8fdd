"""The scenarios of `penstock bench engine`."""

from infra.bench.engine.cheap import cheap_stage, exactly_once_cost
from infra.bench.engine.kills import kills
from infra.bench.engine.latency import latency
from infra.bench.engine.lateness import lateness
from infra.bench.engine.slow_calls import slow_calls
from infra.bench.engine.two_models import two_models
from infra.bench.measure import Scenarios

ENGINE: Scenarios = {
    "slow_calls": slow_calls,  # how near a process comes to as many calls at once as it may make, and their memory
    "kills": kills,  # `kill -9` at random moments, audited from outside
    "two_models": two_models,  # one of two models away: the other's work, the attempts, the memory
    "cheap_stage": cheap_stage,  # events per second against the raw client
    "exactly_once": exactly_once_cost,  # what exactly once costs against at least once
    "latency": latency,  # end to end through the five services
    "retries": lateness,  # how late records come back from their delay tier
}
