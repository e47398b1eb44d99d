"""Deployments agent: deployments and what came of them in; risk records out, and a model that has learned."""

from collections.abc import Awaitable, Callable

from faust.streams import Stream

from vigia.streaming.batches import Batch
from vigia.streaming.lanes import Lanes


def deployments_agent(lanes: Lanes) -> Callable[[Stream[Batch]], Awaitable[None]]:
    """Return the Faust agent; each batch becomes one step: `DeploymentsModel.apply`."""

    async def deployments(batches: Stream[Batch]) -> None:
        async for event in batches.noack().events():
            await lanes.take(event.value, event.ack)

    return deployments
