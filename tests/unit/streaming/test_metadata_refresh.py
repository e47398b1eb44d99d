"""The refresh of a broker client's metadata outlives errors that aiokafka does not expect."""

import asyncio

import pytest
from aiokafka.client import AIOKafkaClient

from vigia.streaming import metadata_refresh
from vigia.streaming.metadata_refresh import keep_refreshing

WITHIN = 5.0


class Client(AIOKafkaClient):  # type: ignore[misc]  # aiokafka has no types
    """Asks no broker: what a refresh brings is said by `answers`, first to last, then True for ever."""

    def __init__(self, *answers):
        super().__init__(bootstrap_servers="nobody:1")
        self.answers = list(answers)

    async def bootstrap(self):
        self._sync_task = asyncio.get_running_loop().create_task(self._md_synchronizer())

    async def _metadata_update(self, cluster_metadata, topics):
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(metadata_refresh, "PAUSE", 0.01)


@pytest.mark.parametrize("error", [RuntimeError("the transport is closed"), asyncio.CancelledError()])
def test_who_waits_for_metadata_gets_it_after_errors(error, caplog):
    async def refreshed():
        client = Client(error, error)
        await client.bootstrap()
        keep_refreshing(client)
        async with asyncio.timeout(WITHIN):
            first = await client.force_metadata_update()
            second = await client.force_metadata_update()
        await client.close()
        return first, second

    assert asyncio.run(refreshed()) == (True, True)
    said = [record for record in caplog.records if record.name == metadata_refresh.__name__]
    assert len(said) == 2
    assert all(bool(record.exc_info) == isinstance(error, Exception) for record in said)


def test_a_closed_client_is_left_alone(caplog):
    async def closed():
        client = Client()
        await client.bootstrap()
        keep_refreshing(client)
        await client.force_metadata_update()
        await client.close()
        await asyncio.sleep(0.1)
        return client._sync_task

    assert asyncio.run(closed()) is None
    assert not caplog.records
