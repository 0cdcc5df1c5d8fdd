"""All documents' accounts together: does the law hold, and if not, for whom. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.core.conservation.account import account_of
from shared.core.conservation.facts import MISSING, UNEXPLAINED, Facts, Finding, Kept, Seen, Stage
from shared.core.conservation.flow import Flow
from shared.core.conservation.sheet import Account, Short


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about; empty: everything."""

    batch: str = ""
    """Only documents of this batch."""
    stage: str = ""
    """Only what happened at this stage."""


@dataclass(slots=True)
class Verdict:
    """What all accounts come to."""

    documents: int = 0
    """Documents that were met."""
    published: int = 0
    """Records at the ingest topic, those left out that came out of the dead letters."""
    entered: int = 0
    """Records that somebody put at another place than the ingest topic."""
    split: int = 0
    """Events beyond the first that came of one record."""
    states: Counter[str] = field(default_factory=Counter)
    """Where everything is now."""
    stages: dict[str, Stage] = field(default_factory=lambda: defaultdict(Stage))
    """What each stage did."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong, document by document."""

    @property
    def holds(self) -> bool:
        """Nothing is missing and nothing doubled."""
        return not self.findings

    @property
    def balance(self) -> int:
        """What came in less what is anywhere: 0, unless something is missing or doubled, or moved meanwhile."""
        return self.published + self.entered + self.split - self.states.total()


def verdict(documents: Mapping[str, Facts], kept: Kept, flow: Flow, question: Question) -> Verdict:
    """Judge them all."""
    found = Verdict()
    held: list[Account] = []
    for document, facts in documents.items():
        account = account_of(document, facts, kept, flow)
        if account.short or account.strays or any(seen.event_id for seen in account.arrivals):
            held.append(account)
        else:
            # Dropped at once: most accounts are plain, and all of them together are large.
            add(found, account, flow, question)
    _across(held)
    for account in held:
        add(found, account, flow, question)
    wanted = (
        one for one in accepted_and_gone(documents, kept, flow) if question.batch in ("", kept.accepted[one.document])
    )
    found.findings += wanted
    if question.stage:
        found.findings = [one for one in found.findings if one.stage == question.stage]
        found.stages = {name: stage for name, stage in found.stages.items() if name == question.stage}
    return found


def _across(accounts: Sequence[Account]) -> None:
    """A stage may give an event about another document: what is short here can have come about there."""
    elsewhere: dict[str, tuple[list[Seen], Seen]] = {}
    for account in accounts:
        for kind in (account.arrivals, account.strays):
            elsewhere |= {seen.event_id: (kind, seen) for seen in kind if seen.event_id}
    for account in accounts:
        for short in account.short:
            if found := elsewhere.pop(short.child, None):
                found[0].remove(found[1])
                short.count -= 1


def add(found: Verdict, account: Account, flow: Flow, question: Question) -> None:
    """Add one document's account to a verdict, where it is asked about."""
    if question.batch and question.batch not in account.batches:
        return
    found.documents += 1
    first = sum(seen.stage == flow.first for seen in account.arrivals)
    found.published += first
    found.entered += account.entered + len(account.arrivals) - first
    found.split += account.split
    found.states.update(account.states)
    for name, stage in account.stages.items():
        whole = found.stages[name]
        for part in Stage.__slots__:
            setattr(whole, part, getattr(whole, part) + getattr(stage, part))
    found.findings += account.findings
    found.findings += [lost(account.document, short) for short in account.short if short.count]
    found.findings += [
        Finding(UNEXPLAINED, account.document, seen.stage, seen.place, "nothing that is known led to this record")
        for seen in account.strays
    ]


def lost(document: str, short: Short) -> Finding:
    """What is said of something that was completed without a trace."""
    times = f" ({short.count} times)" if short.count > 1 else ""
    return Finding(MISSING, document, short.stage, short.place, f"it is completed, and nothing came of it{times}")


def accepted_and_gone(documents: Mapping[str, Facts], kept: Kept, flow: Flow) -> Iterator[Finding]:
    """Documents that the ingest door has acknowledged, and that never stood on its topic."""
    for document in kept.accepted:
        if document not in documents:
            yield Finding(
                MISSING, document, flow.first, "", "the ingest door has accepted it, and its topic has it not"
            )


def confirmed(first: Iterable[Finding], second: Iterable[Finding]) -> list[Finding]:
    """What two audits after each other both found: what was only on its way while one of them read is not among it."""
    again = set(second)
    return [one for one in first if one in again]
