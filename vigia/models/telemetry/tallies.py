"""How decisions and the judgements on them become rows that add up: a change of a state is the new counts less the old.

So a judgement that replaces another takes back exactly what that one had added, and rows of any days can be merged when
they are read.
"""

from collections import defaultdict
from typing import Literal, NamedTuple

import msgspec

from vigia.events.effects import Changes
from vigia.events.feedback import Judgement
from vigia.events.summaries import AIDecisionTally, AIDecisionTimes, Summary
from vigia.models.telemetry.bins import BILLIONTHS, NO_CONFIDENCE
from vigia.models.telemetry.state import DecisionState
from vigia.models.windows.sketch import Sketch

Counted = Literal["all", "person", "outcome", "any", "both"]
"""Whose judgements a tally counts; see `AIDecisionTally.judge`."""

_MICROSECONDS = 1_000
"""In a millisecond."""


class Counts(NamedTuple):
    """The counts of one tally, as its columns."""

    decisions: int
    correct: int = 0
    partly: int = 0
    confidence: int = 0
    squared_error: int = 0


def counts_of(state: DecisionState) -> dict[Counted, Counts]:
    """Return what one decision adds to the tallies of its day, type and bin; nothing before it has come."""
    decided = state.decided
    if decided is None:
        return {}
    confidence = None if decided.bin == NO_CONFIDENCE else decided.confidence
    found: dict[Counted, Counts] = {"all": Counts(1, confidence=confidence or 0)}
    person, outcome = state.said.get("person"), state.said.get("outcome")
    if person is not None:
        found["person"] = _judged(person.judgement, confidence)
    if outcome is not None:
        found["outcome"] = _judged(outcome.judgement, confidence)
    # a person has the last word: an outcome can be laid at the wrong door
    either = person or outcome
    if either is not None:
        found["any"] = _judged(either.judgement, confidence)
    if person is not None and outcome is not None:
        found["both"] = Counts(1, correct=int(person.judgement == outcome.judgement))
    return found


class Tallies:
    """What a batch changes in the rows, collected so that each row is corrected once; `settle` ends it."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[int, str, str, int, Counted], list[int]] = defaultdict(
            lambda: [0] * len(Counts._fields)
        )
        self._times: defaultdict[tuple[int, str, str], list[float]] = defaultdict(list)

    def moved(self, agent: str, before: dict[Counted, Counts], state: DecisionState) -> None:
        """Count the difference that a decision's state makes, which had the counts `before`."""
        decided = state.decided
        if decided is None:
            return
        after = counts_of(state)
        for judge, now in after.items():
            then = before.get(judge)
            if now != then:
                held = self._counts[decided.start, agent, decided.decision_type, decided.bin, judge]
                for place, value in enumerate(now):
                    held[place] += value - (then[place] if then is not None else 0)

    def took(self, agent: str, state: DecisionState, execution_time: float | None) -> None:
        """Count how long (milliseconds) a decision took that has just become known."""
        if execution_time is not None and state.decided is not None:
            self._times[state.decided.start, agent, state.decided.decision_type].append(execution_time)

    def settle(self, changes: Changes) -> None:
        """Turn all that was counted into corrections of rows."""
        for (start, agent, decision_type, number, judge), counts in self._counts.items():
            changes.correct(
                AIDecisionTally(
                    start=start,
                    agent=agent,
                    decision_type=decision_type,
                    bin=number,
                    judge=judge,
                    **dict(zip(Counts._fields, counts, strict=True)),
                ),
                merged_rows,
            )
        for (start, agent, decision_type), times in self._times.items():
            changes.correct(
                AIDecisionTimes(
                    start=start,
                    agent=agent,
                    decision_type=decision_type,
                    count=len(times),
                    total=sum(round(time * _MICROSECONDS) for time in times),
                    sketch=Sketch.of(times).encode(),
                ),
                merged_rows,
            )


def merged_rows(row: Summary, partial: Summary) -> Summary:
    """Return a row with a correction merged in; associative and commutative, exactly.

    Raises TypeError for other rows: nothing else is ever corrected. Raises SketchError when a sketch cannot be read.
    """
    if isinstance(row, AIDecisionTally) and isinstance(partial, AIDecisionTally):
        added = {name: getattr(row, name) + getattr(partial, name) for name in Counts._fields}
        return msgspec.structs.replace(row, **added)
    if isinstance(row, AIDecisionTimes) and isinstance(partial, AIDecisionTimes):
        sketch = Sketch.decode(row.sketch).merged(Sketch.decode(partial.sketch))
        return msgspec.structs.replace(
            row, count=row.count + partial.count, total=row.total + partial.total, sketch=sketch.encode()
        )
    raise TypeError(f"only tallies and times are corrected, not {type(row).__name__} by {type(partial).__name__}")


def _judged(judgement: Judgement, confidence: int | None) -> Counts:
    correct = judgement == "correct"
    if confidence is None:
        return Counts(1, int(correct), int(judgement == "partly"))
    error = confidence - (BILLIONTHS if correct else 0)
    # the nearest whole number
    squared = (error * error + BILLIONTHS // 2) // BILLIONTHS
    return Counts(1, int(correct), int(judgement == "partly"), confidence, squared)
