"""How documents ended at each stage, read from the pipeline's own topics: nothing has to have been kept beside them."""

import math
from collections.abc import Mapping

from shared.core.atlas.ended import Ended
from shared.core.event import Partition
from shared.kafka.reading import Reader, Span
from shared.pipelines.telling import Telling


def last_ends(reader: Reader, telling: Telling, records: int) -> list[Ended]:
    """The last word on each document at each stage, of about so many of the newest records of each topic.

    Failures of a time from which the successes are no longer there are left out: dead letters are kept for longer than
    anything else, and beside successes of the last hour those of a year would look like a catastrophe.
    """
    found: dict[tuple[str, str], Ended] = {}
    firsts: dict[Partition, float] = {}
    spans = reader.spans(telling.topics)
    share = max(records * len(telling.topics) // max(len(spans), 1), 1)
    newest = {place: Span(max(span.start, span.end - share), span.end) for place, span in spans.items()}
    for record in reader.read_spans(newest):
        firsts.setdefault((record.position.topic, record.position.partition), record.appended_at.timestamp())
        ended = telling.told(record)
        if ended is None:
            continue
        before = found.get((ended.stage, ended.document_id))
        if before is None or before.at <= ended.at:
            found[ended.stage, ended.document_id] = ended
    stages = {ended.stage for ended in found.values()}
    known = {stage: known_since(telling.passing(stage), newest, firsts) for stage in stages}
    return [ended for ended in found.values() if ended.at >= known[ended.stage]]


def known_since(topics: tuple[str, ...], read: Mapping[Partition, Span], firsts: Mapping[Partition, float]) -> float:
    """From when on all that got through are known, where older records were not read, or are gone."""
    cut = [place for place, span in read.items() if place[0] in topics and span.start > 0]
    if not cut:
        return -math.inf
    return max((firsts[place] for place in cut if place in firsts), default=math.inf)
