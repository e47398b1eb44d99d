"""Rows and commits as tests of the summaries need them."""

from typing import Any

import msgspec

from vigia.events.identity import derive_id
from vigia.events.summaries import (
    DeploymentSummary,
    MuteSummary,
    ProblemGroupSummary,
    ProblemSummary,
    ProposalSummary,
    SeriesSummary,
    WindowSummary,
)
from vigia.stores.base import DeadLetterRow, LaneId, LaneRow, OutboxRow, SeenRow, StepCommit, StepRow, Summaries

LANE = LaneId("metrics", 0)
OTHER = LaneId("metrics", 1)
NOON = 1_700_000_000.0


def take(summaries: Summaries, lane: LaneId = LANE, owner: str = "worker-1") -> LaneRow:
    """Take the lane over."""
    return summaries.acquire(lane, owner, "cluster-1", 4)


def advance(row: LaneRow, /, *, lane: dict[str, Any] | None = None, **parts: Any) -> StepCommit:
    """Return the next step after `row`, with these parts, and these changes to the lane's row."""
    after = msgspec.structs.replace(row, version=row.version + 1, step=row.step + 1, **(lane or {}))
    step = StepRow(after.step, "metrics", row.cluster_id, after.step * 10, after.step * 10 + 9, NOON + after.step)
    return StepCommit(after, row.version, step, **parts)


def commit(summaries: Summaries, row: LaneRow, /, **parts: Any) -> LaneRow:
    """Commit the next step after `row`; return the lane's row then."""
    step = advance(row, **parts)
    summaries.commit(step)
    return step.lane


def seen(number: int, at: float = NOON, content: bytes = b"c" * 16) -> SeenRow:
    return SeenRow(number.to_bytes(16, "big"), content, at)


def output(number: int, **changes: Any) -> OutboxRow:
    return msgspec.structs.replace(OutboxRow(number, "problems", b"checkout", b'{"n":1}'), **changes)


def letter(name: str, **changes: Any) -> DeadLetterRow:
    row = DeadLetterRow(
        letter_id=derive_id("letter", name),
        lane=LANE,
        cluster_id="cluster-1",
        topic="metrics",
        offset=7,
        position=0,
        reason="not_json",
        detail="the value is not JSON",
        at=NOON,
        key=b"checkout",
        body=b"{",
        body_size=1,
    )
    return msgspec.structs.replace(row, **changes)


def series(name: str, **changes: Any) -> SeriesSummary:
    row = SeriesSummary(
        series_id=derive_id("series", name),
        service="checkout",
        environment="production",
        metric="error_rate",
        labels="host=a",
        kind="gauge",
        unit="1",
        first_seen=NOON,
    )
    return msgspec.structs.replace(row, **changes)


def window(name: str, start: int, **changes: Any) -> WindowSummary:
    row = WindowSummary(
        series_id=derive_id("series", name), start=start, count=3, sum=0.6, min=0.1, max=0.3, sketch=b"\x00\xff", late=0
    )
    return msgspec.structs.replace(row, **changes)


def deployment(name: str, **changes: Any) -> DeploymentSummary:
    row = DeploymentSummary(
        deployment_id=derive_id("deployment", name),
        source="ci.example",
        external_id=name,
        scope="payments",
        service="checkout",
        environment="production",
        version="1.2.3",
        stage="planned",
        status="",
        planned_at=NOON,
        started_at=None,
        finished_at=None,
        risk=0.25,
        model="logistic-1",
        outcome="",
        outcome_label="",
        outcome_at=None,
        commits=2,
        kind="rollback",
    )
    return msgspec.structs.replace(row, **changes)


def problem(name: str, **changes: Any) -> ProblemSummary:
    row = ProblemSummary(
        problem_id=derive_id("problem", name),
        service="checkout",
        environment="production",
        series_id=derive_id("series", name),
        metric="error_rate",
        detector="high_error_rate",
        severity="P1",
        status="open",
        opened_at=NOON,
        at=NOON,
        why="the error rate is 12 %",
        version=1,
    )
    return msgspec.structs.replace(row, **changes)


def grouped(name: str) -> ProblemGroupSummary:
    return ProblemGroupSummary(
        problem_id=derive_id("problem", name),
        part_of=derive_id("problem", f"{name}'s cause"),
        service="checkout",
        at=NOON,
        released=0,
        version=1,
    )


def mute(name: str, *, until: float) -> MuteSummary:
    return MuteSummary(
        service="checkout",
        mute_id=name,
        environment="*",
        metric="error_rate",
        labels="",
        detectors="",
        since=NOON - 60.0,
        until=until,
        by="maria",
        reason="moved",
        lifted_by="",
    )


def proposal(name: str, **changes: Any) -> ProposalSummary:
    row = ProposalSummary(
        proposal_id=derive_id("proposal", name),
        problem_id=derive_id("problem", name),
        service="checkout",
        environment="production",
        action="rollback",
        severity="P1",
        status="proposed",
        at=NOON,
        expires_at=NOON + 3600,
        why="the error rate rose after deployment 42",
        version=1,
    )
    return msgspec.structs.replace(row, **changes)
