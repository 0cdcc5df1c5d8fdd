"""Marks that the author of an answer's class puts on its fields, so that the answer can be weighed without knowing it.

    vendor: Annotated[str, Mark.QUOTED, Mark.NEEDED]
    skills: Annotated[str, Mark.LISTED]

They are values for `typing.Annotated`: they change neither the schema that a model is sent nor what is accepted.
"""

from enum import Enum


class Mark(Enum):
    """What a field is to its document and to its reader."""

    NEEDED = "needed"
    """An answer without it is of little use."""
    QUOTED = "quoted"
    """Its value stands in the document as it is, so one that does not was made up."""
    OPTIONAL = "optional"
    """It may well be empty, and the answer is good all the same."""
    LISTED = "listed"
    """Like QUOTED, for several values, each of which stands in the document."""
