"""The job in a stock Faust agent: `noack_take` on raw values, msgspec and a dict (its fastest documented way)."""

import asyncio
import os
import sys
from typing import Any

import faust
import msgspec
from progress import Progress  # type: ignore[import-not-found] # beside it on the path of its own environment


class Sample(msgspec.Struct, gc=False):
    """What the job needs of a message."""

    service: str
    metric: str
    ts: float
    value: float


app = faust.App(
    os.environ["BENCH_OUT"],
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP']}",
    store="memory://",
    autodiscover=False,
    topic_disable_leader=True,
    web_enabled=False,
    datadir=os.environ["BENCH_STATE"],
    broker_commit_interval=1.0,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=4096,
    stream_wait_empty=False,
)


def _raw(name: str) -> Any:
    return app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")


source = _raw(os.environ["BENCH_TOPIC"])
results = _raw(os.environ["BENCH_OUT"])
progress = Progress()
_decode = msgspec.json.Decoder(Sample).decode
_windows: dict[tuple[int, int], dict[tuple[str, str], list[float]]] = {}
_latest: dict[int, int] = {}


@app.agent(source)
async def windows(stream: Any) -> None:
    """Add up, and send what has closed."""
    async for events in stream.noack_take(1_000, within=0.2):
        for event in events:
            _add(event.message.partition, _decode(event.value))
        progress.add(len(events))
        for partition, start in [key for key in _windows if key[1] < _latest[key[0]]]:
            closed = _windows.pop((partition, start))
            await asyncio.gather(
                *[await results.send(key=k[0].encode(), value=_row(k, start, w)) for k, w in closed.items()]
            )
        for event in events:
            event.ack()


def _add(partition: int, sample: Sample) -> None:
    start = int(sample.ts) // 60 * 60
    _latest[partition] = max(start, _latest.get(partition, 0))
    open_ = _windows.setdefault((partition, start), {})
    window = open_.get((sample.service, sample.metric))
    if window is None:
        open_[sample.service, sample.metric] = [1, sample.value, sample.value, sample.value]
    else:
        window[0] += 1
        window[1] += sample.value
        window[2] = min(window[2], sample.value)
        window[3] = max(window[3], sample.value)


def _row(key: tuple[str, str], start: int, window: list[float]) -> bytes:
    return msgspec.json.encode(
        {"service": key[0], "metric": key[1], "start": start, "count": window[0], "sum": window[1]}
    )


sys.argv = [sys.argv[0], "worker", "-l", "warn", "--without-web"]
app.main()
