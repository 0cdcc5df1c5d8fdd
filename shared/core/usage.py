"""What one call used: tokens as the provider counts them, taken apart as its price list does.

input    fresh | cached | written            each has a price of its own
output   said  | reasoning                   one price, but an operator wants to know what was thought and not said
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int = 0
    """Of the request, all of them."""
    output_tokens: int = 0
    """Of the answer, thoughts included."""
    cached_tokens: int = 0
    """Of the request's, those that the provider had read before: they cost less."""
    written_tokens: int = 0
    """Of the request's, those that it put aside to be found again: with some providers they cost more."""
    reasoning_tokens: int = 0
    """Of the answer's, those that were thought and not said."""

    def __post_init__(self) -> None:
        # The figures come from outside: a part that is larger than its whole would make a price negative.
        set_ = object.__setattr__
        set_(self, "cached_tokens", max(min(self.cached_tokens, self.input_tokens), 0))
        set_(self, "written_tokens", max(min(self.written_tokens, self.input_tokens - self.cached_tokens), 0))
        set_(self, "reasoning_tokens", max(min(self.reasoning_tokens, self.output_tokens), 0))

    @property
    def fresh_tokens(self) -> int:
        """Of the request's, those at the usual price."""
        return self.input_tokens - self.cached_tokens - self.written_tokens
