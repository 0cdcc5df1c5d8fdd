"""The scenarios of `penstock bench failures`."""

from infra.bench.answers.scenario import answers, refusals
from infra.bench.failures.away import away
from infra.bench.failures.cancel import cancel
from infra.bench.failures.limits import limits
from infra.bench.failures.mixed import mixed
from infra.bench.failures.outage import outage
from infra.bench.failures.replay import replay
from infra.bench.failures.slow import slow
from infra.bench.measure import Scenarios

FAILURES: Scenarios = {
    "refusals": refusals,  # how many refusals are found in labelled answers that took no part in the tuning
    "answers": answers,  # bad answers of nine kinds: what is accepted, and what is sent again unchanged
    "mixed": mixed,  # thousands of documents, one call in seven goes wrong: each has one end, and the right one
    "outage": outage,  # a provider down for minutes, with a chain that waits and with one that falls back
    "away": away,  # Redis stopped, hung and emptied, PostgreSQL stopped, both, under load
    "slow": slow,  # PostgreSQL slow, then full, each under a burst
    "limits": limits,  # how much of a provider's limits four workers use together, and how often it says no
    "cancel": cancel,  # a batch cancelled in the middle of slow calls, with a kill: until when it is paid
    "replay": replay,  # dead letters of six causes, two mended and replayed, the replayer killed again and again
}
