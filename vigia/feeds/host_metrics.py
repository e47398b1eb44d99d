"""This machine's own disk, memory, CPU and load as metrics, by psutil.

The service is `host`, the environment `development`; the machine's name is a label. Event times are the true ones.
"""

import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from vigia.events.names import MAX_NAME
from vigia.events.samples import Sample

TOPIC = "metrics"
SERVICE = "host"
ENVIRONMENT = "development"

LIVE_SECONDS = 1.0
ONCE_SECONDS = 0.1
ONCE_ROUNDS = 30

Reader = Callable[[], list[Sample]]


class Host:
    """Reads this machine. `data_dir` is the folder whose disk is watched besides the system's."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = time.time, name: str | None = None) -> None:
        self._disks = {"system": Path(os.sep), "data": data_dir}
        self._clock = clock
        self._labels = {"host": host_label(socket.gethostname() if name is None else name)}
        # the first answer of cpu_percent is a meaningless zero: it measures since the call before
        psutil.cpu_percent()

    def read(self) -> list[Sample]:
        """Return one sample of each series, all with the present time."""
        now = self._clock()
        samples = []
        for role, path in self._disks.items():
            disk = psutil.disk_usage(str(path))
            samples += [
                self._sample("disk_used", "%", disk.percent, now, {"disk": role}),
                self._sample("disk_free", "By", disk.free, now, {"disk": role}),
            ]
        memory = psutil.virtual_memory()
        return [
            *samples,
            self._sample("memory_used", "%", memory.percent, now),
            self._sample("memory_available", "By", memory.available, now),
            self._sample("cpu_used", "%", psutil.cpu_percent(), now),
            self._sample("load_1m", "1", psutil.getloadavg()[0], now),
        ]

    def _sample(
        self, metric: str, unit: str, value: float, now: float, labels: Mapping[str, str] | None = None
    ) -> Sample:
        return Sample(
            service=SERVICE,
            environment=ENVIRONMENT,
            metric=metric,
            unit=unit,
            ts=now,
            value=float(value),
            labels={**self._labels, **(labels or {})},
        )


def host_label(name: str) -> str:
    """Return a machine's name as a label value: the characters of host names, and never empty.

    >>> host_label("build-7.example"), host_label("my mac"), host_label("")
    ('build-7.example', 'my_mac', 'unknown')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:MAX_NAME] or "unknown"


def events(
    read: Reader, pause: Callable[[float], bool], *, seconds: float = LIVE_SECONDS, rounds: int | None = None
) -> Iterator[tuple[str, str, list[Sample]]]:
    """Yield (topic, key, samples) every `seconds`, `rounds` times or until `pause` says that it is time to end."""
    done = 0
    while rounds is None or done < rounds:
        yield TOPIC, SERVICE, read()
        done += 1
        if done != rounds and pause(seconds):
            return


def seconds_until_minute_has_room(now: float, needed: float) -> float:
    """Return how long to wait until `needed` seconds fit into one minute.

    Finite input must count the same windows each time it is run; three seconds of samples that happen to span two
    minutes would make two windows of each series.

    >>> seconds_until_minute_has_room(600.0, 5.0), seconds_until_minute_has_room(656.0, 5.0)
    (0.0, 4.0)
    """
    left = 60.0 - now % 60.0
    return 0.0 if left >= needed else left
