"""One document's account: everything that is completed has caused something, and everything has a cause. Pure.

For each stage and token (an event by its id, or a record by where it first stood):

    completed + approvals sent  =  put back (retry, parked) + dead letters + reviews asked for + events emitted

An event that a stage makes of a token has an id that follows from both, so what came of what is known without any
header. Where events have no ids, what is short is matched with what nothing led to, document by document. A record that
was completed while the audit read counts as may be wanted: completed before the ends of the topics were looked for at
the least, completed after it at the most.

A stage that gives no event at all ends a document without a word: the law knows no such end, and it is told as missing.
"""

from collections import Counter, defaultdict

from shared.core.conservation.facts import DOUBLED, MISSING, UNEXPLAINED, Facts, Finding, Kept, Seen, Stage
from shared.core.conservation.flow import DESK, RESULTS, Flow, child
from shared.core.conservation.sheet import Account, Short, Task
from shared.core.shelves import Kind

WAITING = {Kind.INPUT: "waiting", Kind.RETRY: "in-retry", Kind.PARKED: "parked"}
"""Where a record stands to the state of its document."""
CANCELLED = "cancelled"
"""The end of what an operator called off: its record may be told by whoever drops the document, under any id."""
SPLITS = 32
"""Events of one outcome that are looked for beyond the first."""
DISCARDED = "discarded"
"""What an operator gave up where it was: its letter is the end, and a result tells of it."""
REPLAYED, DEAD = "replayed", "dead-lettered"
"""What was done about a dead letter that is no end; where one stands about which nothing was done."""
APPROVE = "approve"
"""The decision after which a proposal goes on."""
OWN_ROW = ("stored", "rejected")
"""Ends that have a row of their own version; others have stood back behind one that is as new, or newer."""
MOVING = (*WAITING.values(), DEAD, "in-review")
"""States of what has not ended."""


def account_of(document: str, facts: Facts, kept: Kept, flow: Flow) -> Account:
    """Judge one document."""
    account = Account(document, {seen.batch for seen in facts if seen.batch})
    clerk = _Clerk(account, kept, flow)
    for seen in facts:
        clerk.enter(seen)
    clerk.letters()
    clerk.tasks()
    clerk.loose_reviews()
    clerk.splits()
    clerk.match()
    clerk.ends()
    return account


class _Clerk:
    """Draws up one account, step by step."""

    def __init__(self, account: Account, kept: Kept, flow: Flow) -> None:
        self._account, self._kept, self._flow = account, kept, flow
        self._tasks: dict[tuple[str, str], Task] = {}
        self._given: dict[str, list[Seen]] = defaultdict(list)
        self._loose: list[Seen] = []
        self._asked: dict[str, list[Seen]] = defaultdict(list)
        self._letters: list[Seen] = []
        self._results: list[Seen] = []
        self._reentries: Counter[str] = Counter()

    def enter(self, seen: Seen) -> None:
        """Take one fact down."""
        stage = self._account.stages[seen.stage] if seen.stage else Stage()
        if seen.kind in WAITING:
            self._task(seen, came=True)
            stage.taken += 1
        if seen.kind in (Kind.RETRY, Kind.PARKED):
            self._task(seen).again += 1
            stage.again += 1
        elif seen.kind is Kind.LETTER:
            self._task(seen).dead += 1
            self._letters.append(seen)
            stage.dead += 1
        elif seen.kind is Kind.REVIEW:
            self._asked[seen.event_id or seen.place].append(seen)
            stage.asked += 1
        elif seen.replayed:
            self._reentries[seen.replayed] += 1
        elif seen.event_id:
            self._given[seen.event_id].append(seen)
        else:
            self._loose.append(seen)
        if seen.kind is Kind.RESULT:
            self._results.append(seen)
        if seen.foreign:
            # As if it had come to the stage and been done there: the law holds from here on.
            task = self._task(seen)
            task.sure, task.maybe, task.came = task.sure + 1, task.maybe + 1, True
            self._account.entered += 1

    def _task(self, seen: Seen, *, came: bool = False) -> Task:
        task = self._tasks.setdefault((seen.stage, seen.token), Task(seen.place))
        if came:
            task.came = task.came or seen.kind is Kind.INPUT
            task.sure, task.maybe = task.sure + seen.sure, task.maybe + (seen.sure or seen.maybe)
            if not seen.sure:
                # What was completed meanwhile stands in front: it is the first that waits no more.
                task.pending.insert(0 if seen.maybe else len(task.pending), WAITING[seen.kind])
        return task

    def letters(self) -> None:
        """A letter waits, was given up for good, or re-entered exactly once."""
        for letter in self._letters:
            times = self._reentries.pop(letter.place, 0)
            if letter.state != REPLAYED:
                self._account.states[letter.state or DEAD] += 1
            if letter.state == REPLAYED and times == 0:
                self._told(MISSING, letter, "this dead letter is noted as replayed, and re-entered nowhere")
            elif letter.state != REPLAYED and times:
                self._told(DOUBLED, letter, "this dead letter re-entered, and is not noted as replayed")
            elif times > 1:
                self._told(DOUBLED, letter, f"this dead letter re-entered {times} times")
            elif letter.state in (DISCARDED, CANCELLED):
                self._given_up(letter)
        for place, times in self._reentries.items():
            self._note(UNEXPLAINED, "", place, f"{times} records say that they were replayed from here: no letter is")

    def _given_up(self, letter: Seen) -> None:
        """Who ends a document at its letter tells so in the same breath, under an id that follows from both."""
        told = child(letter.place, letter.state)
        times = self._take(told, frozenset((RESULTS,))).total()
        self._results = [seen for seen in self._results if seen.event_id != told]
        # What is cancelled may be told by whoever drops another record of it.
        if letter.state == DISCARDED and times == 0:
            self._told(MISSING, letter, "this dead letter is noted as discarded, and no result tells so")
        elif times > 1:
            self._told(DOUBLED, letter, f"a result tells {times} times that this dead letter is {letter.state}")

    def tasks(self) -> None:
        """Hold each token at each stage to the law."""
        for (stage, token), task in self._tasks.items():
            made = child(token, stage)
            goals = self._take(made, self._flow.goals[stage])
            asked = self._asked.pop(made, [])
            emitted = max(goals.values(), default=0)
            self._account.split += goals.total() - emitted
            self._account.stages[stage].emitted += goals.total()
            for goal, count in goals.items():
                if count < emitted:
                    self._note(MISSING, stage, task.place, f"it went to {goal} less often than elsewhere")
            sure, maybe = self._decided(asked)
            caused = task.again + task.dead + len(asked) + emitted
            self._stand(stage, task, caused - min(maybe, max(emitted, sure)))
            if (lacking := task.sure + sure - caused) > 0:
                self._account.short.append(Short(stage, task.place, made, lacking))
            elif not task.came:
                # A record that was put back and taken up again seems to explain itself.
                self._note(UNEXPLAINED, stage, task.place, "it was put back or given up here, and never came here")
            elif (over := caused - task.maybe - maybe) > 0:
                self._note(DOUBLED, stage, task.place, f"more came of it than may: {over} too many")

    def _take(self, made: str, goals: frozenset[str]) -> Counter[str]:
        """Records of that id where the stage may have put them; they are explained by that."""
        found = self._given.get(made, [])
        taken = Counter(goal_of(seen) for seen in found if goal_of(seen) in goals)
        if taken:
            self._given[made] = [seen for seen in found if goal_of(seen) not in goals]
        return taken

    def _stand(self, stage: str, task: Task, done: int) -> None:
        """Count what of a token is still waiting, and in which state."""
        waiting = max(task.sure + len(task.pending) - max(min(done, task.maybe), task.sure), 0)
        self._account.stages[stage].waiting += waiting
        self._account.states.update(task.pending[len(task.pending) - waiting :])

    def _decided(self, asked: list[Seen]) -> tuple[int, int]:
        """Approvals among these reviews of one proposal that were surely sent, and that may have been.

        The others are brought to their place in the account.
        """
        approved, rejected = [0, 0], [0, 0]
        for seen in asked:
            row = self._kept.reviews.get(seen.place)
            if row is None and seen.sure:
                self._note(
                    MISSING, seen.stage, seen.place, "the review desk has read this request, and has no row of it"
                )
            elif row is None or not row.sequence:
                self._account.states["in-review"] += 1
            elif row.sequence > self._kept.sent[1]:
                self._account.states["waiting"] += 1
            else:
                counts = approved if row.decision == APPROVE else rejected
                counts[0] += row.sequence <= self._kept.sent[0]
                counts[1] += 1
        if rejected[1]:
            self._rejected(asked[0], *rejected)
        return approved[0], approved[1]

    def _rejected(self, seen: Seen, sure: int, maybe: int) -> None:
        if not self._flow.rejections:
            self._account.states["rejected"] += maybe
            return
        told = child(seen.event_id, DESK)
        times = self._take(told, frozenset((RESULTS,))).total()
        self._account.states["waiting"] += maybe - max(sure, min(times, maybe))
        if times < sure:
            self._account.short.append(Short(seen.stage, seen.place, told, sure - times))
        elif times > maybe:
            self._note(DOUBLED, seen.stage, seen.place, f"its rejection is told {times} times")

    def loose_reviews(self) -> None:
        """Reviews that no token led to: where proposals have no ids they belong to whatever is short at their stage."""
        for asked in self._asked.values():
            self._decided(asked)
            self._loose += asked

    def splits(self) -> None:
        """The second and further events of one outcome."""
        for stage, token in self._tasks if self._given else ():
            for index in range(1, SPLITS):
                goals = self._take(child(token, stage, index), self._flow.goals[stage])
                if not goals:
                    break
                self._account.split += goals.total()
                self._account.stages[stage].emitted += goals.total()

    def match(self) -> None:
        """What is short, with what nothing led to: events without ids, failures routed to a stage, cancellations."""
        left = [seen for found in self._given.values() for seen in found] + self._loose
        for short in self._account.short:
            for seen in left[:]:
                if short.count and self._explains(seen, short.stage):
                    left.remove(seen)
                    short.count -= 1
        self._account.short = [short for short in self._account.short if short.count]
        self._account.arrivals = [seen for seen in left if seen.kind is Kind.INPUT]
        self._account.strays = [seen for seen in left if seen.kind is not Kind.INPUT]

    def _explains(self, seen: Seen, stage: str) -> bool:
        """Whether a record without a cause accounts for something that is missing at a stage.

        This is also the place of cancellation: a document that an operator called off is dropped where it is, and its
        end is told as `cancelled`, by whoever drops it.
        """
        goal = goal_of(seen)
        # An event that has an id has the one that follows from its cause, and was found by it where it has any.
        direct = goal in self._flow.goals[stage] and not seen.event_id
        asked = seen.kind is Kind.REVIEW and seen.stage == stage
        return direct or asked or goal in self._flow.routes[stage] or seen.state == CANCELLED

    def ends(self) -> None:
        """Each end stands in the table, and no version is stored by two events."""
        stored: dict[int | None, set[str]] = defaultdict(set)
        kept = self._kept.stored.get(self._account.document)
        for seen in self._results:
            if seen.state == CANCELLED:
                self._called_off(seen)
                continue
            self._account.states[seen.state] += 1
            if seen.state == "stored":
                stored[seen.version].add(seen.event_id)
            if not self._flow.stores or seen.version is None:
                continue
            if kept is None or (kept < seen.version and seen.state in OWN_ROW):
                self._told(MISSING, seen, f"it is told as {seen.state}, and the table of results has no such row")
        for version, events in stored.items():
            if len(events) > 1 and version is not None:
                place = self._results[-1].place
                self._note(DOUBLED, "", place, f"version {version} was stored by {len(events)} different events")

    def _called_off(self, seen: Seen) -> None:
        """The word that a document is cancelled may come before its records are dropped: then these still count."""
        if seen in self._account.strays and any(self._account.states[state] for state in MOVING):
            self._account.strays.remove(seen)
        else:
            self._account.states[CANCELLED] += 1

    def _told(self, kind: str, seen: Seen, message: str) -> None:
        self._note(kind, seen.stage, seen.place, message)

    def _note(self, kind: str, stage: str, place: str, message: str) -> None:
        self._account.findings.append(Finding(kind, self._account.document, stage, place, message))


def goal_of(seen: Seen) -> str:
    """Where a record went: a stage, or the end."""
    return RESULTS if seen.kind is Kind.RESULT else seen.stage if seen.kind is Kind.INPUT else ""
