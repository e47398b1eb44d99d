"""The floor: what fetching, decoding and adding up cost in one Python process that does nothing else."""

import asyncio
import os
import sys

import msgspec
from aiokafka import AIOKafkaConsumer

from scripts.benchmarking.contest.progress import Progress


class Sample(msgspec.Struct, gc=False):
    """As little as the job needs."""

    service: str
    metric: str
    ts: float = 0.0
    value: float = 0.0
    points: list[tuple[float, float]] | None = None


async def main() -> int:
    """Read the topic once."""
    progress = Progress()
    decode = msgspec.json.Decoder(Sample).decode
    consumer = AIOKafkaConsumer(
        os.environ["BENCH_TOPIC"],
        bootstrap_servers=os.environ["BENCH_BOOTSTRAP"],
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
        max_poll_records=20_000,
    )
    await consumer.start()
    windows: dict[tuple[str, str, int], list[float]] = {}
    while not progress.done:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            count = 0
            for record in records:
                sample = decode(record.value)
                for at, value in sample.points or ((sample.ts, sample.value),):
                    key = (sample.service, sample.metric, int(at) // 60)
                    window = windows.get(key)
                    if window is None:
                        windows[key] = [1, value, value, value]
                    else:
                        window[0] += 1
                        window[1] += value
                        if value < window[2]:  # noqa: PLR1730 - a call would cost much of the floor
                            window[2] = value
                        if value > window[3]:  # noqa: PLR1730 - the same
                            window[3] = value
                    count += 1
            progress.add(count)
    await consumer.stop()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
