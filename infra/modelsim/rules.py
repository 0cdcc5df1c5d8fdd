"""What the simulated provider knows: answers computed from the document by rules.

Everything said is quoted from the text: fields, the sentences of a summary, the sentence that answers a question.
"""

import re
from collections import Counter

from infra.modelsim.field_rules import AMOUNT, DATE, SPAN, extract_fields
from infra.modelsim.sentences import sentences

__all__ = ["answer", "extract_fields", "summarize"]

COMMON = (
    "a an and are as at be by did do does for from has have how in is it its of on or that the this to was we were "
    "what when where which who will with das der die ein eine für in ist mit und von wann was wer wie zu"
)
STOPWORDS = frozenset(COMMON.split())


SAME = {"no": "number", "nr": "number", "long": "term", "last": "term", "laufzeit": "term"}
"""Words that a question and its answer use for the same thing."""


def terms(text: str) -> list[str]:
    """The words that carry meaning, without the endings that differ between a question and its answer."""
    words = re.findall(r"\w+", text.lower())
    kept = [SAME.get(word, word) for word in words if word not in STOPWORDS and len(word) > 1]
    return [re.sub(r"(?:ing|ed|es|s)$", "", word) for word in kept]


def summarize(text: str) -> str:
    """Two or three sentences of the text: the first, and those whose words occur most."""
    found = list(sentences(text))
    told = [sentence for sentence in found if len(sentence.split()) >= 5 and sentence[-1] in ".!?"] or found
    weight = Counter(terms(" ".join(told)))

    def score(number: int) -> float:
        own = terms(told[number])
        return sum(weight[word] for word in own) / (len(own) + 3)

    best = sorted(range(1, len(told)), key=score, reverse=True)[:2]
    return " ".join(told[number] for number in sorted([0, *best])) if told else ""


HINTS = (
    (r"\bwhen\b|\bwhat date\b|\bwann\b", DATE),
    (r"\bhow much\b|\btotal\b|\bamount\b|\bcosts?\b|\bwie viel\b", AMOUNT),
    (r"\bhow long\b|\bterm\b|\bwie lange\b", SPAN),
    (r"\bwho\b|\bwhom\b|\bwer\b", r"([A-ZÄÖÜ][a-zäöü]+ [A-ZÄÖÜ])"),
)
"""What a question asks for, and how an answer to it looks."""


def answer(question: str, text: str) -> str:
    """The sentence of the text that shares most with the question; empty where none shares anything.

    A sentence that says nothing beyond the question is a heading: what stands below it is the answer.
    """
    found = list(sentences(text))
    rarity = Counter(word for sentence in found for word in set(terms(sentence)))
    asked = set(terms(question))
    looks = [re.compile(look) for asks, look in HINTS if re.search(asks, question.lower())]

    def score(number: int) -> float:
        shared = asked.intersection(terms(found[number]))
        fits = any(look.search(found[number]) for look in looks)
        return sum(1 / rarity[word] for word in shared) + 0.5 * bool(shared and fits)

    best = max(range(len(found)), key=score, default=-1)
    if best < 0 or score(best) == 0:
        return ""
    is_heading = asked.issuperset(terms(found[best])) and best + 1 < len(found)
    return found[best + 1] if is_heading else found[best]
