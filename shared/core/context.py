"""What a handler is handed beside its event: the world, as a few narrow protocols.

A handler that sees only these runs alone in a test, with plain functions in their place.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.core.results import Results

R = TypeVar("R")
M = TypeVar("M")
V = TypeVar("V")

REUSED = "reused"
"""How a call ended that was not made, because its recorded result was found."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """Bytes kept outside Kafka."""

    uri: str
    """Where they are."""
    sha256: str
    """Hash of the content, lower-case hex."""
    size: int
    """Number of bytes."""


class BlobReference(Protocol):
    """Anything that names stored bytes; the generated `Reference` does."""

    @property
    def uri(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...


class Blobs(Protocol):
    """Bytes too large for a record, by the hash of their content."""

    async def put(self, data: bytes) -> StoredBlob:
        """Keep the bytes; the same bytes twice are kept once."""
        ...

    async def get(self, reference: BlobReference) -> bytes:
        """Fetch and check them. Raises Failed(reference_missing), Failed(invalid_event) outside the blob address."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said to a model."""

    name: str
    """Prompt file and version, such as `extract-fields@1`."""
    system: str
    """Instructions."""
    user: str
    """The question with its material."""
    task: str
    """Task it serves: extraction, summarization or qa."""
    sample: int = 0
    """Which of several answers to the same question is wanted: another number is another call."""
    whole: bool = True
    """It holds the whole document; in a part of one, what is looked for may well not stand."""
    document_type: str = ""
    """Type of the document, where it is known: thresholds can differ by it. It is neither sent nor in a call's name."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model: what it used, what it cost, how it ended."""

    task: str
    """Task it served."""
    provider: str
    """Provider's name in the model registry."""
    model: str
    """Model that answered."""
    prompt: str
    """Prompt file and version."""
    input_tokens: int
    """Tokens of the request, as the provider counts."""
    output_tokens: int
    """Tokens of the answer, as the provider counts."""
    cost_usd: float
    """US dollars by the registry's price list."""
    milliseconds: int
    """Wall time from request to the last byte."""
    outcome: str
    """`ok`, or the failure class. Where a recorded result was found and nothing was sent: `reused`, or
    `reused:<failure class>`; then tokens and cost are those of the call that was made, if it was made in this very work
    on the document and so stands in no other result, else 0."""

    @property
    def made(self) -> bool:
        """Whether a request was sent."""
        return not self.outcome.startswith(REUSED)


@dataclass(frozen=True, slots=True)
class Answer(Generic[M]):
    """A model's accepted answer, and every request it took."""

    value: M
    """The answer, checked against its schema."""
    calls: tuple[Call, ...]
    """Every request in order, failed ones included; one of them gave the answer."""
    quality: float = 1.0
    """Score of the answer, 0 to 1: below 0.7 nothing better came of asking once more."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may be hoped for of a chain, before it is asked."""

    models: tuple[str, ...] = ()
    """Models by the id that their calls have, in their order, without those that were silent in this work; none where
    the registry has no such chain."""
    fits: bool = True
    """Whether the question fits into one of them, as far as one can know."""
    room: int = 10_000_000
    """Tokens, as `shared.core.tokens.rough` counts, that the prompt's user text may have in the largest of them."""
    splits: bool = False
    """The pipeline wants a question that does not fit asked in parts."""
    waits: bool = False
    """The pipeline waits for a model that is away, rather than to ask another one."""


class Models(Protocol):
    """The models a pipeline may ask, by the name of a chain in the model registry."""

    async def ask(self, chain: str, prompt: Prompt, schema: type[M], *, besides: Collection[str] = ()) -> Answer[M]:
        """Ask the chain's models in order, without those in `besides`, whose answer is known.

        Raises Unavailable when none is available, Failed when none could answer.
        """
        ...

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        """Which models the chain has but those in `besides`, and whether the question fits; nobody is asked."""
        ...


class Context(Protocol):
    """What a handler is handed beside its event."""

    @property
    def now(self) -> datetime:
        """The time at which the record was taken up, UTC."""
        ...

    @property
    def attempt(self) -> int:
        """1 at the first try."""
        ...

    @property
    def prompt(self) -> str:
        """The prompt a replay asks for in place of the one in use, as `<task>@<version>`; empty: the one in use."""
        ...

    @property
    def blobs(self) -> Blobs: ...
    @property
    def models(self) -> Models: ...
    @property
    def results(self) -> Results: ...

    async def once(self, key: str, make: Callable[[], Awaitable[V]], *, kind: type[V] | None = None) -> V:
        """What `make` gives, made at most once for this content of this document, this stage and this key.

        For work inside a handler that must not be done again when a later part fails: a page, a chunk. Its value is
        kept as JSON before this returns, and given as JSON gives it back, the first time too; `kind` says what it is,
        where that is more than plain JSON. An error of `make` goes through, and the next try makes it again.
        """
        ...

    def resource(self, kind: type[R]) -> R:
        """What the handler's `opens` opened, or its settings, by class."""
        ...
