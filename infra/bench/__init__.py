"""Benchmarks of the product: real processes, real servers, and an outsider who audits.

figures     percentiles and ratios, pure            herd      processes that are started, killed, never left behind
notes       what the processes note of each call    outsider  a client that shares no code with what it audits
auditor     what was lost, doubled, repeated: pure  homes     state folders that go away however the run ends
brake       a door that makes a PostgreSQL slow     crowd     somebody who takes all of its connections
sample      a pipeline to measure with              engine    the scenarios of `penstock bench engine`
"""
