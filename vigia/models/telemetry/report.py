"""The report on AI agents over a span of days: every figure of each agent and type of decision, from their counts.

It needs the counts of the span, and of the span before, as long: drift is a change from there to here. What was judged
in the span it needs in pieces of time, too: they show how well accuracy can be foretold. Where a figure is None, `why`
says what is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.models.telemetry.drift import MIN_DECISIONS, Drift, accuracy_drift, confidence_drift
from vigia.models.telemetry.expected import MIN_JUDGED, Expected, expected
from vigia.models.telemetry.figures import (
    BinCounts,
    ExecutionTime,
    Judged,
    Share,
    bin_counts,
    correct_in,
    decisions_in,
    execution_time,
    judged,
)

FORMULA_VERSION = 1
"""Raised whenever a figure is computed otherwise."""


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What shares should be above, in [0, 1]."""

    accuracy: float
    feedback: float


class AgentReport(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one AI agent's decisions of one type."""

    agent: str
    decision_type: str
    decisions: int
    feedback: Share
    """Decisions that anybody has judged."""
    feedback_target: str
    """Of the feedback rate: met, missed, unclear or unknown; see `Share.against`."""
    together: Judged
    """By people and outcomes, a person's word over an outcome's."""
    people: Judged
    outcomes: Judged
    agreement: Share
    """Of the decisions that both have judged, those of which they say the same."""
    accuracy_target: str
    execution_time: ExecutionTime
    """Milliseconds."""
    confidence_drift: Drift
    accuracy_drift: Drift
    expected_accuracy: Expected
    """Of the decisions that nobody has judged."""
    why: dict[str, str]
    """For each figure that is missing, what it needs."""


def agent_reports(
    tallies: Iterable[AIDecisionTally],
    pieces: Iterable[AIDecisionTally],
    before: Iterable[AIDecisionTally],
    times: Iterable[AIDecisionTimes],
    targets: Targets,
) -> list[AgentReport]:
    """Return a report for each agent and type in `tallies`, by name; `before` are the tallies of the span before.

    `pieces` are the tallies of decisions that anybody has judged (judge `any`), those of one piece with one `start`.
    """
    now_of, pieces_of, before_of, times_of = (
        _grouped(tallies),
        _grouped(pieces),
        _grouped(before),
        defaultdict[tuple[str, str], list[AIDecisionTimes]](list),
    )
    for row in times:
        times_of[row.agent, row.decision_type].append(row)
    return [
        _report(name, now_of[name], pieces_of.get(name, []), before_of.get(name, []), times_of[name], targets)
        for name in sorted(now_of)
    ]


def _grouped(tallies: Iterable[AIDecisionTally]) -> dict[tuple[str, str], list[AIDecisionTally]]:
    grouped: defaultdict[tuple[str, str], list[AIDecisionTally]] = defaultdict(list)
    for row in tallies:
        grouped[row.agent, row.decision_type].append(row)
    return dict(grouped)


def _report(
    name: tuple[str, str],
    tallies: Sequence[AIDecisionTally],
    pieces: Sequence[AIDecisionTally],
    before: Sequence[AIDecisionTally],
    times: Sequence[AIDecisionTimes],
    targets: Targets,
) -> AgentReport:
    counts, earlier = bin_counts(tallies), bin_counts(before)
    by_start: defaultdict[int, list[AIDecisionTally]] = defaultdict(list)
    for row in pieces:
        by_start[row.start].append(row)
    decisions = decisions_in(counts, "all")
    feedback = Share.of(decisions_in(counts, "any"), decisions)
    together = judged(counts, "any")
    made = AgentReport(
        agent=name[0],
        decision_type=name[1],
        decisions=decisions,
        feedback=feedback,
        feedback_target=feedback.against(targets.feedback),
        together=together,
        people=judged(counts, "person"),
        outcomes=judged(counts, "outcome"),
        agreement=Share.of(correct_in(counts, "both"), decisions_in(counts, "both")),
        accuracy_target=together.accuracy.against(targets.accuracy),
        execution_time=execution_time(times),
        confidence_drift=confidence_drift(earlier, counts),
        accuracy_drift=accuracy_drift(earlier, counts),
        expected_accuracy=expected(counts, [earlier, *(bin_counts(by_start[start]) for start in sorted(by_start))]),
        why={},
    )
    return msgspec.structs.replace(made, why=dict(_missing(made, counts)))


def _missing(made: AgentReport, counts: BinCounts) -> Iterable[tuple[str, str]]:
    """Yield each figure that is None, and what it needs."""
    named = sum(each.decisions for number, each in counts.get("all", {}).items() if number >= 0)
    if not made.feedback.count:
        yield "accuracy", "none of these decisions has feedback"
    if made.together.brier is None:
        needs = "of these decisions names a confidence" if not named else "with a confidence has feedback"
        yield "calibration", f"none {needs}"
    if not made.execution_time.n:
        yield "execution_time", "none of these decisions names its execution time"
    if not made.agreement.n:
        yield "agreement", "no decision was judged by a person and by an outcome"
    for figure, drift, what in (
        ("confidence_drift", made.confidence_drift, "decisions with a confidence"),
        ("accuracy_drift", made.accuracy_drift, "judged decisions"),
    ):
        if drift.drifted is None:
            have = f"{drift.n_before} in the span before and {drift.n_now} in this one"
            yield figure, f"it needs {MIN_DECISIONS} {what} in each span: there are {have}"
    if made.expected_accuracy.value is None:
        left = made.expected_accuracy.n
        needs = f"it needs {MIN_JUDGED} judged decisions with a confidence to calibrate by"
        yield "expected_accuracy", needs if left else "no decision with a confidence is left unjudged"
