"""From the bytes of a stream to a reply, or to why there is none: pure, whatever arrives and however it is cut up.

    the terminator came, after a reason why the model stopped  -> the answer, judged as if it had come in one piece
    the provider reported an error in the middle               -> its class, else stream_cut
    an event that is not the wire's, no terminator, no reason  -> stream_cut
    a reason that is no known one                              -> stream_cut

Half an answer can be valid JSON that fits its schema, so nothing but the provider's own word makes one complete. What
came of a broken stream is kept with what it cost, and is never an answer.
"""

from dataclasses import replace

from shared.core.failures import Failure
from shared.models.streams.arriving import Arriving
from shared.models.streams.sse import EventReader
from shared.models.wire import Reply, Wire

CHARACTERS_PER_TOKEN = 4
"""What an estimate goes by where the provider did not count."""


def estimate(characters: int) -> int:
    """Tokens of a text of that length, roughly."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def uncounted(reply: Reply, asked: int) -> Reply:
    """An answer in one piece, its tokens estimated where the server did not count them; `asked` as below."""
    if reply.failure or reply.input_tokens or reply.output_tokens:
        return reply
    return replace(reply, input_tokens=estimate(asked), output_tokens=estimate(len(reply.text)), estimated=True)


class Assembly:
    """One answer, put together from its stream."""

    def __init__(self, wire: Wire, asked: int) -> None:
        """`asked`: characters of the question, for an estimate where the provider's figures never come."""
        self._wire = wire
        self._asked = asked
        self._reader = EventReader()
        self._arriving = Arriving()
        self._malformed = ""

    @property
    def complete(self) -> bool:
        """Everything has come; what follows means nothing."""
        return self._arriving.ended and not self._malformed

    @property
    def over(self) -> bool:
        """Nothing that follows can change the reply."""
        return self._arriving.ended or self._arriving.error is not None or bool(self._malformed)

    def feed(self, chunk: bytes) -> bool:
        """Take bytes; gives whether they brought the answer on. A sign of life (comment, ping) does not."""
        before = (self._arriving.heard, self._arriving.finish)
        for event in self._reader.feed(chunk):
            if self.over:
                break
            try:
                self._wire.take(self._arriving, event)
            except (LookupError, TypeError, ValueError, AttributeError):
                self._malformed = repr(event.data[:120].decode("utf-8", "replace"))
        return self.over or before != (self._arriving.heard, self._arriving.finish)

    def reply(self) -> Reply:
        """What came, once the body has ended or is over."""
        arriving = self._arriving
        if arriving.error is not None:
            failure = self._wire.fault(arriving.error) or Failure.STREAM_CUT
            said = str(arriving.error.get("message"))[:300]
            return self.lost(failure, f"the provider broke its answer off: {said}")
        if self._malformed:
            return self.lost(Failure.STREAM_CUT, f"an event of the stream is malformed: {self._malformed}")
        if not arriving.ended:
            return self.lost(
                Failure.STREAM_CUT, "the stream ended without its terminator (a server that sends none: stream = false)"
            )
        if not arriving.finish:
            return self.lost(Failure.STREAM_CUT, "the stream ended without saying why the model stopped")
        reply = self._so_far(whole=True)
        # What in one piece is the server's error has here begun, and broke off.
        return replace(reply, failure=Failure.STREAM_CUT) if reply.failure is Failure.SERVER_ERROR else reply

    def lost(self, failure: Failure, message: str) -> Reply:
        """What came before the stream was lost, as the failure that it is."""
        return replace(self._so_far(whole=False), failure=failure, message=message)

    def _so_far(self, *, whole: bool) -> Reply:
        arriving = self._arriving
        reply = self._wire.reply(self._wire.whole(arriving))
        told = (reply.input_tokens, reply.output_tokens)
        asked = told[0] or (estimate(self._asked) if arriving.heard else 0)
        # Before the end the provider's figure for the answer is that of its beginning.
        given = told[1] if whole and told[1] else max(told[1], estimate(arriving.heard))
        counted = (asked, given) == told and (whole or bool(arriving.finish and all(told)))
        # A provider that refuses outright charges nothing; any other that falls silent may have, whatever was heard.
        refused = arriving.error is not None and not arriving.heard and not any(told)
        return replace(reply, input_tokens=asked, output_tokens=given, estimated=not (counted or refused))
