"""Run a handler alone, or a whole pipeline, in memory: no Kafka, no server, no mocking framework.

outcome = await run(classify, TextExtracted(…))
async with stations(DOCUMENTS, [extract, classify, …]) as line:
    journey = await line.run(DocumentSubmitted(…))
"""

from shared.testing.alone import Ports, answering, run
from shared.testing.flow import Journey, Line, stations

__all__ = ["Journey", "Line", "Ports", "answering", "run", "stations"]
