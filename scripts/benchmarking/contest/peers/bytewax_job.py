"""The job in Bytewax: `fold_window` with an event clock, without recovery (its fastest way)."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op  # type: ignore[import-not-found] # installed in an environment of its own
import msgspec
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource  # type: ignore[import-not-found]
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window  # type: ignore[import-not-found]
from confluent_kafka import OFFSET_BEGINNING
from progress import Progress  # type: ignore[import-not-found] # beside it on the path of its own environment

FIRST = datetime.fromtimestamp(1_700_000_040, UTC)
progress = Progress()


class Sample(msgspec.Struct):
    """What the job needs of a message."""

    service: str
    metric: str
    ts: float
    value: float


_decode = msgspec.json.Decoder(Sample).decode


def _samples(messages: list[Any]) -> list[tuple[str, tuple[datetime, float]]]:
    samples = [_decode(message.value) for message in messages]
    return [(f"{one.service}|{one.metric}", (datetime.fromtimestamp(one.ts, UTC), one.value)) for one in samples]


def _empty() -> list[float]:
    return [0, 0.0, float("inf"), float("-inf")]


def _add(window: list[float], sample: tuple[datetime, float]) -> list[float]:
    progress.add()
    value = sample[1]
    window[0] += 1
    window[1] += value
    window[2] = min(window[2], value)
    window[3] = max(window[3], value)
    return window


def _merge(one: list[float], other: list[float]) -> list[float]:
    return [one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])]


def _message(closed: tuple[str, tuple[int, list[float]]]) -> Any:
    key, (number, window) = closed
    service, metric = key.split("|")
    row = {"service": service, "metric": metric, "start": number, "count": window[0], "sum": window[1]}
    return KafkaSinkMessage(service.encode(), json.dumps(row).encode())


flow = Dataflow("contest")
_brokers = [os.environ["BENCH_BOOTSTRAP"]]
_source = KafkaSource(
    _brokers, [os.environ["BENCH_TOPIC"]], tail=False, starting_offset=OFFSET_BEGINNING, batch_size=1_000
)
_keyed = op.key_on("key", op.flat_map_batch("decode", op.input("in", flow, _source), _samples), lambda pair: pair[0])
_values = op.map_value("value", _keyed, lambda pair: pair[1])
# partitions are read at different speeds, and nothing must be late
_clock = EventClock(lambda sample: sample[0], timedelta(minutes=30))
_windower = TumblingWindower(length=timedelta(minutes=1), align_to=FIRST)
_windows = fold_window("windows", _values, _clock, _windower, _empty, _add, _merge, ordered=False)
op.output("out", op.map("message", _windows.down, _message), KafkaSink(_brokers, os.environ["BENCH_OUT"]))
