"""The companies and people of the samples: all made up, at addresses that do not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """A company that does not exist."""

    name: str
    street: str
    city: str
    kind: str = "a company"
    """As a contract introduces it."""


COMPANIES = (
    Company("Brightwater Printing Ltd", "14 Quay Street", "Harwick HW2 4QT", "a private limited company"),
    Company(
        "Kestrel Instruments LLC", "2200 Mesa Drive", "Alder Falls, CO 80999", "a Colorado limited liability company"
    ),
    Company("Solway Timber Co.", "Dock Road 7", "Annanmouth AM1 9TT", "a partnership"),
    Company("Orchard Lane Catering", "3 Orchard Lane", "Pellham PE9 8LA", "a sole trader"),
    Company("Vantage Rail Services plc", "Platform House", "Crewton CR1 2AB", "a public limited company"),
    Company("Tern & Plover Architects LLP", "58 Mole Street", "Dunmere DM4 4ZX", "a limited liability partnership"),
    Company("Halcyon Data Systems Inc.", "901 Lakeview Plaza", "Port Merrow, WA 98999", "a Delaware corporation"),
    Company("Greenfield Municipal Water", "1 Reservoir Way", "Greenfield GF1 1WA", "a public body"),
    Company("Marlow Freight GmbH", "Speicherstrasse 12", "20999 Hamburg", "a German limited company"),
    Company("Copperleaf Analytics B.V.", "Grachtweg 301", "1099 XA Amsterdam", "a Dutch private company"),
    Company("Stonebridge Housing Trust", "22 Abbey Gate", "Stonebridge SB3 5HH", "a registered charity"),
    Company("Lumen Optical Works Ltd", "Unit 9, Foundry Park", "Westhaven WH6 0PL", "a private limited company"),
)

PEOPLE = (
    "Ana Kovac",
    "Daniel Osei",
    "Lena Hoffmann",
    "Ruth Abelson",
    "Tomas Lindqvist",
    "Priya Raman",
    "Marcus Webb",
    "Ingrid Solberg",
    "Yusuf Demir",
    "Clara Benedetti",
    "Owen Pritchard",
    "Mei Tanaka",
)


def company(number: int) -> Company:
    """The company of that name."""
    return COMPANIES[number % len(COMPANIES)]


def person(number: int) -> str:
    """The person of that name."""
    return PEOPLE[number % len(PEOPLE)]
