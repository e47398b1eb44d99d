"""Telemetry agent: decisions of AI agents and the feedback on them in; rows to measure them by out."""

from collections.abc import Awaitable, Callable

from faust.streams import Stream

from vigia.streaming.batches import Batch
from vigia.streaming.lanes import Lanes


def telemetry_agent(lanes: Lanes) -> Callable[[Stream[Batch]], Awaitable[None]]:
    """Return the Faust agent; each batch becomes one step: `TelemetryModel.apply`."""

    async def telemetry(batches: Stream[Batch]) -> None:
        async for event in batches.noack().events():
            await lanes.take(event.value, event.ack)

    return telemetry
