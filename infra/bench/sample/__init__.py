"""The pipelines that are measured: one stage each, written as a team would write its own, by public means only."""
