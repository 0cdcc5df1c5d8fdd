"""What a value means as a date, an amount or an address; nothing where it means none.

Documents write as they like. Where a date can be read in two ways, both readings are given, and a check holds if it
holds for one: to guess one would invent errors.
"""

import re
from datetime import date
from decimal import Decimal

MONTHS = (
    ("jan", "jän"),
    ("feb", "fév", "fev"),
    ("mar", "mär", "mrz"),
    ("apr", "avr"),
    ("may", "mai"),
    ("jun", "juin"),
    ("jul", "juil"),
    ("aug", "aoû", "aou"),
    ("sep",),
    ("oct", "okt"),
    ("nov",),
    ("dec", "dez", "déc"),
)
"""How the names of the months begin, in English, German and French."""

ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})")
NUMERIC = re.compile(r"(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4}|\d{2})")
DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? ?([^\W\d]{3,12})\.?,? ?(\d{4})")
MONTH_FIRST = re.compile(r"([^\W\d]{3,12})\.? ?(\d{1,2})(?:st|nd|rd|th)?,? ?(\d{4})")
AMOUNT = re.compile(r"[^\d\-(]*(-|\()?[^\d]*(\d[\d.,' \u00a0\u202f]*)")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


LONGEST = 80
"""Characters of a date or an amount; what is longer is neither, and no pattern shall chew on it."""


def dates(value: str) -> frozenset[date]:
    """Every date the value can be read as."""
    if len(value) > LONGEST:
        return frozenset()
    text = " ".join(value.split()).lower()
    if match := ISO.fullmatch(text):
        readings = [(match[1], match[2], match[3])]
    elif match := NUMERIC.fullmatch(text):
        year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
        readings = [(year, match[2], match[1]), (year, match[1], match[2])]
    elif match := DAY_FIRST.fullmatch(text):
        readings = [(match[3], month(match[2]), match[1])]
    elif match := MONTH_FIRST.fullmatch(text):
        readings = [(match[3], month(match[1]), match[2])]
    else:
        readings = []
    return frozenset(found for reading in readings if (found := _date(*map(int, reading))))


def month(name: str) -> int:
    """Number of a month by its name; 0 where it is none."""
    starts = (number for number, names in enumerate(MONTHS, 1) if name.startswith(names))
    return next(starts, 0)


def _date(year: int, number: int, day: int) -> date | None:
    try:
        return date(year, number, day)
    except ValueError:
        return None


def amount(value: str) -> Decimal | None:
    """The amount, whatever separates its thousands; None where it is none."""
    match = AMOUNT.match(value) if len(value) <= LONGEST else None
    if not match:
        return None
    digits = re.sub(r"['\s]", "", match[2]).rstrip(".,")
    comma, point = digits.rfind(","), digits.rfind(".")
    decimal = max(comma, point)
    # A lone separator before exactly three digits is one of thousands: nobody writes a price with three decimals.
    if (
        decimal >= 0
        and (min(comma, point) >= 0 or len(digits) - decimal - 1 != 3)
        and digits.count(digits[decimal]) == 1
    ):
        whole, cents = digits[:decimal], digits[decimal + 1 :]
    else:
        whole, cents = digits, ""
    number = Decimal(re.sub(r"[.,]", "", whole) + ("." + cents if cents else ""))
    return -number if match[1] else number


def is_email(value: str) -> bool:
    """It has the look of an e-mail address."""
    return EMAIL.fullmatch(value.strip()) is not None
