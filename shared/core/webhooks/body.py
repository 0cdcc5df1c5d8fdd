"""A notice as the body of a request: as JSON, as Slack takes it, or after a template of the operator's own.

A template is JSON with `$name` inside its strings, and `$data` where a value stands:

    {"title": "$type", "body": "$text", "all": $data}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from shared.core.webhooks.notice import Notice

PLAIN, SLACK = "plain", "slack"
"""Words that come with Penstock."""
SLACK_CHARACTERS = 3000
"""Longest text for Slack, which cuts longer ones by itself somewhere."""
TOP = ("type", "timestamp", "text", "subject", "data")
FACTS = (
    *("pipeline", "document_id", "batch_id", "tenant", "state", "document_type", "stage", "failure", "message"),
    *("attempts", "round", "documents"),
)
"""Names that a template may have besides; what a notice does not know is empty."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a hook is told."""

    kind: str = PLAIN
    """plain, slack, or the name of a template's file."""
    template: str = ""
    """What stands in the file."""

    def body(self, notice: Notice) -> str:
        """The notice in these words."""
        if self.template:
            return Template(self.template).substitute(values(notice))
        if self.kind == SLACK:
            return json.dumps({"text": escaped(notice.text)[:SLACK_CHARACTERS]}, ensure_ascii=False)
        body = {"type": notice.type, "timestamp": notice.at.isoformat(), "data": notice.data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def values(notice: Notice) -> Mapping[str, str]:
    """What a template's names stand for: text as it may stand within a JSON string, `data` as a JSON value."""
    told = {"type": notice.type, "timestamp": notice.at.isoformat(), "text": notice.text, "subject": notice.subject}
    told |= {fact: str(notice.data.get(fact, "")) for fact in FACTS}
    within = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in told.items()}
    return within | {"data": json.dumps(notice.data, ensure_ascii=False)}


def wrong_in(template: str, samples: tuple[Notice, ...]) -> str:
    """What is the matter with a template, in one sentence; empty where nothing is."""
    known = {*TOP, *FACTS}
    try:
        names = Template(template).get_identifiers()
        if unknown := [name for name in names if name not in known]:
            return f"${unknown[0]} is not known: there are {', '.join(sorted(known))}"
        for notice in samples:
            json.loads(Words("file", template).body(notice))
    except ValueError as error:
        return f"it does not give JSON: {error}"
    return ""


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no mention, no link, no markup comes out of a document's name."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
