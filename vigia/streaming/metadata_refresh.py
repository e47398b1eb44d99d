"""Keeps a broker client's refresh of the cluster's metadata alive.

aiokafka refreshes metadata in one task (`AIOKafkaClient._md_synchronizer`), which an error that it does not expect ends
without a word. From then on everything that waits for fresh metadata waits for ever: the search for the group's
coordinator among others, so that the client fetches on while the group has long given its partitions away. Seen after
a minute without a broker.
"""

import asyncio
import logging

from aiokafka.client import AIOKafkaClient

PAUSE = 0.5
"""Seconds before the task is started again: what ended it may not have passed yet."""

logger = logging.getLogger(__name__)


def keep_refreshing(client: AIOKafkaClient) -> None:
    """Start the client's refresh again whenever it ends by itself; call it after `bootstrap`, in the client's loop.

    Those who wait for metadata meanwhile go on to wait, for the new task. It ends for good when the client is closed.
    """
    task: asyncio.Task[None] | None = client._sync_task  # noqa: SLF001 - aiokafka offers no way to it
    if task is not None:
        loop = asyncio.get_running_loop()
        task.add_done_callback(lambda ended: loop.call_later(PAUSE, _start_again, client, ended))


def _start_again(client: AIOKafkaClient, ended: "asyncio.Task[None]") -> None:
    if client._sync_task is not ended:  # noqa: SLF001 - as above
        return  # the client was closed
    why = None if ended.cancelled() else ended.exception()
    logger.error("the refresh of the cluster's metadata has ended and is started again", exc_info=why)
    client._sync_task = asyncio.get_running_loop().create_task(client._md_synchronizer())  # noqa: SLF001
    keep_refreshing(client)
