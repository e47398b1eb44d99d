"""The job in Quix Streams: a tumbling window a service, its metrics in one accumulator."""

import os
from typing import Any

from progress import Progress  # type: ignore[import-not-found] # beside it on the path of its own environment
from quixstreams import Application  # type: ignore[import-not-found] # installed in an environment of its own

Windows = dict[str, list[float]]
progress = Progress()


def _time(value: dict[str, Any], _headers: object, _timestamp: float, _kind: object) -> int:
    return int(value["ts"] * 1000)


def _first(value: dict[str, Any]) -> Windows:
    return _add({}, value)


def _add(windows: Windows, value: dict[str, Any]) -> Windows:
    progress.add()
    number = value["value"]
    window = windows.get(value["metric"])
    if window is None:
        windows[value["metric"]] = [1, number, number, number]
    else:
        window[0] += 1
        window[1] += number
        window[2] = min(window[2], number)
        window[3] = max(window[3], number)
    return windows


def _rows(closed: dict[str, Any], key: Any, _timestamp: int, _headers: object) -> list[dict[str, Any]]:
    service = key.decode() if isinstance(key, bytes) else key
    return [
        {"service": service, "metric": metric, "start": closed["start"] // 1000, "count": window[0], "sum": window[1]}
        for metric, window in closed["value"].items()
    ]


def main() -> None:
    """Run until stopped."""
    app = Application(
        broker_address=os.environ["BENCH_BOOTSTRAP"],
        consumer_group=os.environ["BENCH_OUT"],
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=os.environ["BENCH_STATE"],
        loglevel="WARNING",
    )
    source = app.topic(os.environ["BENCH_TOPIC"], value_deserializer="json", timestamp_extractor=_time)
    windows = app.dataframe(source).tumbling_window(60_000).reduce(reducer=_add, initializer=_first)
    rows = windows.final(closing_strategy="partition").apply(_rows, expand=True, metadata=True)
    rows.to_topic(app.topic(os.environ["BENCH_OUT"], value_serializer="json"))
    app.run()


main()
