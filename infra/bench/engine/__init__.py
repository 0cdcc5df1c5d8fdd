"""The scenarios of `penstock bench engine`.

slow_calls   how near a process comes to as many calls at once as it may make, and their memory
kills        `kill -9` at random moments, audited from outside
two_models   one of two models away: the other's work, the attempts, the memory
cheap_stage  events per second against the raw client
exactly_once what exactly once costs against at least once
latency      end to end through the five services
retries      how late records come back from their delay tier
"""

from infra.bench.engine.run import SCENARIOS, Failed, measure

__all__ = ["SCENARIOS", "Failed", "measure"]
