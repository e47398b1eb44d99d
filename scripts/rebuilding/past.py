"""What a lane has done, in order: its steps, and what people did to it between them."""

from collections.abc import Iterator

from scripts.rebuilding.errors import RebuildStopped
from vigia.stores.base import LaneId, StepRow
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.summaries import SqlSummaries

STEPS_AT_ONCE = 1_000

Act = StepRow | Intervention


def past(live: SqlSummaries, lane: LaneId, after: int, last: int) -> Iterator[Act]:
    """Return what has the numbers after `after` up to `last`, in order; raises RebuildStopped when one is missing."""
    acts = {each.sequence: each for each in live.interventions(lane)}
    while after < last:
        steps = {step.sequence: step for step in live.steps(lane, after, min(STEPS_AT_ONCE, last - after))}
        end = min(last, max(steps, default=last))
        for number in range(after + 1, end + 1):
            act: Act | None = steps.get(number) or acts.get(number)
            if act is None:
                raise RebuildStopped(
                    f"lane {lane}: the live database has no row of step {number} in `steps`, but the lane has done "
                    f"{last}; what cannot be put in order cannot be rebuilt"
                )
            yield act
        after = end


def steps_of(live: SqlSummaries, lane: LaneId, last: int) -> Iterator[StepRow]:
    """Return a lane's steps up to the number `last`, in order; raises RebuildStopped when one is missing."""
    return (act for act in past(live, lane, 0, last) if isinstance(act, StepRow))


def act_at(summaries: SqlSummaries, lane: LaneId, number: int) -> Act | None:
    """Return what a lane did under one number."""
    step = next(iter(summaries.steps(lane, number - 1, 1)), None)
    if step is not None and step.sequence == number:
        return step
    return next((each for each in summaries.interventions(lane) if each.sequence == number), None)
