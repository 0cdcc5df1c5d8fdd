"""Documents as a busy installation has them, failing by rules that are known: what the atlas is measured against.

Made to be hard in the ways that real ones are: a few tenants send most of it, sizes are skewed, language goes with the
tenant, pages with the type, recognition with the tenant's scanners, the prompt with the week. Every class also fails
by itself, and by type somewhat more or less, which is nothing to report.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import Condition

TYPES = ("invoice", "contract", "letter", "report", "resume", "notice", "record", "other")
LANGUAGES = ("en", "de", "fr", "it", "nl")
MODELS = ("large-2", "small-2", "other-1")
CLASSES = {
    "extract": ("corrupt", "encrypted", "parser_timeout", "too_large"),
    "classify": ("low_confidence", "internal"),
    "analyze": ("token_limit", "malformed_json", "refusal", "truncated", "timeout"),
    "validate": ("low_quality", "ungrounded"),
}
"""Stage to the classes that occur there."""
KNOWN = {
    "extract": ("tenant", "media_type", "size"),
    "classify": ("tenant", "media_type", "language", "method", "pages", "size"),
}
EVERY = (*KNOWN["classify"], "document_type", "model", "prompt")
"""What is known of a document at a stage; behind classify everything."""
HOURS = 48.0
BEGAN = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A planted cause."""

    stage: str
    """Where it acts."""
    failure: str
    """The class it makes."""
    group: tuple[Condition, ...]
    """Whom it hits."""
    rate: float
    """How many of them."""
    begins: float = 0.0
    """When it begins, as a part of the whole time."""

    def meant(self, document: Ended) -> bool:
        """Whether the document is one of the group, after the rule has begun."""
        since = BEGAN + self.begins * HOURS * 3600
        return document.at >= since and all(condition.fits(document) for condition in self.group)


@dataclass
class World:
    """One installation: who sends what, and how often each class comes by itself."""

    dice: random.Random
    """All chance of it."""
    tenants: tuple[str, ...] = tuple(f"tenant-{letter}" for letter in "abcdefghijklmnop")
    """Who sends documents, the busiest first."""
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """Stage and class to its rate."""
    by_type: dict[tuple[str, str], float] = field(default_factory=dict)
    """Class and type to how much more or less often."""

    def __post_init__(self) -> None:
        uniform = self.dice.uniform
        self.rates = {(stage, name): uniform(0.002, 0.015) for stage, names in CLASSES.items() for name in names}
        self.by_type = {(name, kind): uniform(0.8, 1.2) for _, name in self.rates for kind in TYPES}

    def document(self, number: int, when: float) -> Ended:
        """One document with everything that will ever be known of it; `when` is a part of the whole time."""
        dice = self.dice
        tenant = _skewed(dice, self.tenants, 1.0)
        seat = self.tenants.index(tenant)
        kind = _skewed(dice, TYPES[seat % 3 :] + TYPES[: seat % 3], 0.8)
        scanned = dice.random() < (0.7 if seat % 4 == 1 else 0.15)
        pages = max(1, round(dice.lognormvariate({"contract": 2.5, "report": 3.0}.get(kind, 1.0), 1.0)))
        size = round(pages * dice.lognormvariate(11.5 if scanned else 9.0, 0.8))
        language = LANGUAGES[seat % 5] if dice.random() < 0.8 else dice.choice(LANGUAGES)
        model = MODELS[1] if kind in ("letter", "notice") and dice.random() < 0.8 else _skewed(dice, MODELS, 1.2)
        newer = when > (0.5 if kind in TYPES[:4] else 0.7)
        media = "image/png" if scanned and dice.random() < 0.3 else "application/pdf"
        if kind in ("letter", "resume") and not scanned:
            media = dice.choice(("application/pdf", "text/plain", "application/msword"))
        return Ended(
            document_id=f"d{number}",
            stage="",
            failure="",
            at=BEGAN + when * HOURS * 3600,
            tenant=tenant,
            document_type=kind,
            media_type=media,
            method="ocr" if scanned else "text",
            language=language,
            model=model,
            prompt=f"extraction@{2 if newer else 1}",
            size=size,
            pages=pages,
        )

    def rules(self, strengths: Sequence[float], sample: Sequence[Ended]) -> list[Rule]:
        """Rules of these strengths, each about documents as the sample has them."""
        found: list[Rule] = []
        while len(found) < len(strengths):
            rule = self._rule(strengths[len(found)], self.dice.choice(sample), found)
            hit = [document.document_id for document in sample if rule.meant(document)]
            # A weak rule needs many documents, or nobody could find it; one that hits half of all is the base rate.
            if max(100, 25 / rule.rate) <= len(hit) <= 0.4 * len(sample) and not _same(rule, hit, found, sample):
                found.append(rule)
        return found

    def _rule(self, rate: float, like: Ended, before: Sequence[Rule]) -> Rule:
        """One about documents like this one; every third overlaps with one before, in stage or class or group."""
        dice = self.dice
        stage = dice.choice(("extract", "classify", "analyze", "analyze", "validate"))
        failure = dice.choice(CLASSES[stage])
        names = dice.sample(KNOWN.get(stage, EVERY), dice.choice((1, 2, 2, 3)))
        if before and dice.random() < 0.33:
            other = dice.choice(before)
            stage, failure = other.stage, dice.choice((other.failure, dice.choice(CLASSES[other.stage])))
            names = [dice.choice(other.group).factor, dice.choice(KNOWN.get(stage, EVERY))]
        group = tuple(_condition(dice, name, like) for name in dict.fromkeys(names))
        return Rule(stage, failure, group, rate, dice.uniform(0.2, 0.6) if dice.random() < 0.3 else 0.0)

    def ends(self, outcomes: int, rules: Sequence[Rule]) -> Iterator[Ended]:
        """So many outcomes: each document through the stages until it fails."""
        count = 0
        for number in range(outcomes):
            when = number / (outcomes / 3.4)
            document = self.document(number, min(when, 1.0))
            for stage in CLASSES:
                if count == outcomes:
                    return
                failure = self._failure(stage, document, rules)
                count += 1
                unknown = [name for name in EVERY if name not in KNOWN.get(stage, EVERY)]
                blank = {name: None if name in ("pages", "size") else "" for name in unknown}
                yield replace(document, stage=stage, failure=failure, **blank)  # type: ignore[arg-type]
                if failure:
                    break

    def _failure(self, stage: str, document: Ended, rules: Sequence[Rule]) -> str:
        for name in CLASSES[stage]:
            passes = 1 - self.rates[stage, name] * self.by_type[name, document.document_type]
            for rule in rules:
                if (rule.stage, rule.failure) == (stage, name) and rule.meant(document):
                    passes *= 1 - rule.rate
            if self.dice.random() > passes:
                return name
        return ""


def _skewed(dice: random.Random, values: Sequence[str], steepness: float) -> str:
    """One of them, the first ones far more often."""
    return dice.choices(values, [1 / (place + 1) ** steepness for place in range(len(values))])[0]


def _condition(dice: random.Random, name: str, like: Ended) -> Condition:
    """One that holds of this document."""
    if name not in ("pages", "size"):
        return Condition(name, getattr(like, name))
    bounds = (5, 10, 20, 40) if name == "pages" else (100_000, 1_000_000)
    below = [bound for bound in bounds if getattr(like, name) > bound]
    return Condition(name, over=below[-1]) if below else Condition(name, upto=dice.choice(bounds))


def _same(rule: Rule, hit: Sequence[str], before: Sequence[Rule], sample: Sequence[Ended]) -> bool:
    """Whether a rule before it, for the same class, hits mostly the same documents: nobody can tell them apart."""
    for other in before:
        if (other.stage, other.failure) == (rule.stage, rule.failure):
            theirs = {document.document_id for document in sample if other.meant(document)}
            if overlap(theirs, set(hit)) >= 0.3:
                return True
    return False


def overlap(one: set[str], other: set[str]) -> float:
    """What they share of what either has."""
    return len(one & other) / len(one | other) if one | other else 0.0
