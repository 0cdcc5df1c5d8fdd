"""The rules-based model: in process, free, naive, and honest about it: its confidence sends its work to a person.

It reads `Label: value` lines and first sentences. It answers where no provider is configured, or where a chain opts in;
never because a provider is away: an outage must park documents, not flood the reviewers.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.core.context import Prompt
from shared.models.wire import Reply
from shared.pipelines.material import document_in, head_of

CONFIDENCE = 0.3
"""What it thinks of itself; below any sensible gate."""

LABEL = re.compile(r"^[ \t]*([A-Za-z][A-Za-z0-9 /#.-]{0,40}?)[ \t]*:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
SUMMARY_SENTENCES = 3
SUMMARY_CHARACTERS = 600
"""Where a text without full stops is cut."""


def reply(prompt: Prompt, schema: Mapping[str, Any]) -> Reply:
    """The answer as JSON of the schema's form."""
    text = document_in(prompt.user)
    labels = {name.strip().lower().replace(" ", "_"): value for name, value in LABEL.findall(text)}
    answer: dict[str, Any] = {}
    for name, kind in schema.get("properties", {}).items():
        if name == "confidence":
            answer[name] = CONFIDENCE
        elif kind.get("type") == "array":
            answer[name] = [{"name": label, "value": value} for label, value in labels.items()]
        elif name == "summary":
            answer[name] = first_sentences(text)
        elif name == "answer":
            answer[name] = nearest_sentence(head_of(prompt.user).get("Question", ""), text)
        else:
            answer[name] = labels.get(name, "")
    return Reply(text=json.dumps(answer))


def first_sentences(text: str) -> str:
    """The beginning of the text."""
    return " ".join(SENTENCE_END.split(" ".join(text.split()))[:SUMMARY_SENTENCES])[:SUMMARY_CHARACTERS]


def nearest_sentence(question: str, text: str) -> str:
    """The sentence that shares most words with the question; empty where none shares any."""
    asked = set(re.findall(r"\w{3,}", question.lower()))
    sentences = SENTENCE_END.split(text)
    best = max(sentences, key=lambda s: len(asked & set(re.findall(r"\w{3,}", s.lower()))), default="")
    return " ".join(best.split()) if asked & set(re.findall(r"\w{3,}", best.lower())) else ""
