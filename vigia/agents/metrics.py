"""Metrics agent: samples in; closed windows and problems out."""

from collections.abc import Awaitable, Callable

from faust.streams import Stream

from vigia.streaming.batches import Batch
from vigia.streaming.lanes import Lanes


def metrics_agent(lanes: Lanes) -> Callable[[Stream[Batch]], Awaitable[None]]:
    """Return the Faust agent; each batch becomes one step: `MetricsModel.apply`."""

    async def metrics(batches: Stream[Batch]) -> None:
        async for event in batches.noack().events():
            await lanes.take(event.value, event.ack)

    return metrics
