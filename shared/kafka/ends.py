"""How documents ended at each stage, read from the pipeline's own topics: nothing has to have been kept beside them."""

from shared.core.atlas.ended import Ended
from shared.kafka.reading import Reader, Span
from shared.pipelines.telling import Telling


def last_ends(reader: Reader, telling: Telling, records: int) -> list[Ended]:
    """The last word on each document at each stage, of about so many of the newest records of each topic."""
    found: dict[tuple[str, str], Ended] = {}
    spans = reader.spans(telling.topics)
    share = max(records * len(telling.topics) // max(len(spans), 1), 1)
    newest = {place: Span(max(span.start, span.end - share), span.end) for place, span in spans.items()}
    for record in reader.read_spans(newest):
        ended = telling.told(record)
        if ended is None:
            continue
        before = found.get((ended.stage, ended.document_id))
        if before is None or before.at <= ended.at:
            found[ended.stage, ended.document_id] = ended
    return list(found.values())
