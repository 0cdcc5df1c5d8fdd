"""Label values that come from outside, held to a number: every other value makes a time series for ever."""

OTHER = "other"
"""What all values are called that there is no room for."""
MOST = 40
"""Different values of one label."""
LONGEST = 100
"""Characters of a value; whoever makes longer ones wants something else than to be counted."""


class Bounded:
    """The first values of a label are kept, all that come later are one."""

    def __init__(self, most: int = MOST) -> None:
        self._known: set[str] = set()
        self._most = most

    def of(self, value: str) -> str:
        """The value as it may stand in a label."""
        if value in self._known:
            return value
        # What cannot be printed may be half a character, which no exposition can hold.
        if len(self._known) >= self._most or len(value) > LONGEST or not value.isprintable():
            return OTHER
        self._known.add(value)
        return value
