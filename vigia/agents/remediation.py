"""Remediation agent: problems, verdicts and execution results in; proposals to the approvers out."""

from collections.abc import Awaitable, Callable

from faust.streams import Stream

from vigia.streaming.batches import Batch
from vigia.streaming.lanes import Lanes


def remediation_agent(lanes: Lanes) -> Callable[[Stream[Batch]], Awaitable[None]]:
    """Return the Faust agent; each batch becomes one step: `RemediationModel.apply`."""

    async def remediation(batches: Stream[Batch]) -> None:
        async for event in batches.noack().events():
            await lanes.take(event.value, event.ack)

    return remediation
