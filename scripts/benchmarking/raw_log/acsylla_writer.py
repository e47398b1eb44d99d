"""Writes rows to Cassandra by acsylla (the DataStax C++ driver), in an environment without Vigia.

`acsylla_writer.py HOST PORT KEYSPACE ROWS TOGETHER UNDER_WAY` inserts rows, TOGETHER of one partition in an unlogged
batch, and prints {"rows": ..., "seconds": ..., "cpu_seconds": ...}.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import acsylla  # type: ignore[import-not-found] # installed in an environment of its own

INSERT = "INSERT INTO plain (service, day, at, event_id, value) VALUES (?, ?, ?, ?, ?)"
SERVICES, VALUE = 200, bytes(range(118))


async def main(host: str, port: int, keyspace: str, rows: int, together: int, under_way: int) -> None:
    """Write, and say how long it took."""
    cluster = acsylla.create_cluster([host], port=port, num_threads_io=1)
    session = await cluster.create_session(keyspace=keyspace)
    prepared = await session.create_prepared(INSERT)

    def bound(number: int) -> object:
        statement = prepared.bind()
        service = f"service-{number // together % SERVICES:03d}"
        statement.bind_list([service, 1, 1_700_000_000_000 + number, f"event-{number:020d}", VALUE])
        return statement

    async def write(firsts: Iterator[int]) -> None:
        for first in firsts:
            if together == 1:
                await session.execute(bound(first))
                continue
            batch = acsylla.create_batch_unlogged()
            for number in range(first, first + together):
                batch.add_statement(bound(number))
            await session.execute_batch(batch)

    began, cpu = time.perf_counter(), time.process_time()
    firsts = iter(range(0, rows, together))
    await asyncio.gather(*(write(firsts) for _ in range(under_way)))
    taken = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"rows": rows, **taken}))
    await session.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:])))
