"""`penstock insights`: which documents fail, how often, since when, what they have in common, and what to do."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, shown
from shared.core.atlas.ended import Ended
from shared.core.atlas.finding import Finding, findings
from shared.core.atlas.sentence import percent, remedy_of, sentence
from shared.kafka.ends import last_ends
from shared.kafka.reading import Reader
from shared.pipelines.ends import command_of, options_of
from shared.pipelines.telling import Telling

RECORDS = 100_000
"""Newest records of each topic that are looked at: enough for what is true now, and read in seconds."""

Last = Annotated[int, typer.Option("--last", min=1, help="Look at about so many of the newest records of each topic.")]


def insights(last: Last = RECORDS, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Tell which documents fail far more often than the others.

    Each sentence: the rate and its interval of 95 %, the others' rate, since when, what the documents have in common,
    the likely remedy, and the command that lists just these dead letters. Only what chance does not explain is told:
    where nothing has a cause, at most one report in a hundred says anything. With --json one object.
    """
    session = open_session(pipeline)
    ends = last_ends(Reader(session.kafka), Telling(session.pipeline, session.codec), last)
    told = findings(ends)
    if as_json:
        data({"documents": len({one.document_id for one in ends}), "insights": [row(session, one) for one in told]})
        return Exit.DONE
    for one in told:
        print(shown(said(session, one)))
    if not told:
        print(f"nothing stands out among {len({one.document_id for one in ends}):,} documents")
    for line in summary(ends):
        print(shown(line))
    return Exit.DONE


def said(session: Session, finding: Finding) -> str:
    """The sentence."""
    return sentence(finding, session.pipeline.remedies, command_of(session.pipeline, finding))


def row(session: Session, finding: Finding) -> dict[str, Any]:
    """A finding as JSON has it."""
    since = None if finding.since is None else datetime.fromtimestamp(finding.since, UTC)
    return asdict(finding) | {
        "rate": finding.rate,
        "baseline": finding.baseline,
        "since": since,
        "remedy": remedy_of(finding, session.pipeline.remedies),
        "options": options_of(session.pipeline, finding),
        "command": command_of(session.pipeline, finding),
        "sentence": said(session, finding),
    }


def summary(ends: Sequence[Ended]) -> list[str]:
    """What fails at all, stage by stage: a class that hits everybody alike stands out nowhere, and is told here."""
    reached = Counter(one.stage for one in ends)
    failed = Counter((one.stage, one.failure) for one in ends if one.failure)
    return [
        f"{stage}: {failure} {percent(count / reached[stage])} % ({count:,} of {reached[stage]:,})"
        for (stage, failure), count in sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    ]
