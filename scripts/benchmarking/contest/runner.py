"""Runs one contender once: starts its processes, follows what they print, looks at their memory and processor time."""

import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from scripts.benchmarking.contest.contenders import Command, Contender
from scripts.benchmarking.contest.job import Input
from scripts.benchmarking.place import ROOT, own_environment

TAIL = 2_000


class RunFailedError(Exception):
    """A contender ended early or took too long; the message has the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to. Time is from the first samples taken to the last; those first ones are not counted."""

    samples: int
    seconds: float
    cpu_seconds: float
    """Processor time of its processes, start-up included."""
    peak_memory: int
    """Bytes resident, all its processes together, looked at five times a second."""
    written: dict[str, float] = field(default_factory=dict)
    """What it has left in the stores for each 1,000 samples; empty where that was not looked at."""
    working_cpu_seconds: float = 0.0
    """Processor time without the start: from about the first samples taken to the last."""

    @property
    def samples_per_second(self) -> float:
        """Samples by seconds."""
        return self.samples / self.seconds


@dataclass
class _Followed:
    """The progress of all processes of a contender."""

    lines: "queue.Queue[tuple[int, float, int]]" = field(default_factory=queue.Queue)
    taken: dict[int, int] = field(default_factory=dict)
    first: tuple[float, int] | None = None
    last: float = 0.0

    def take(self, timeout: float) -> None:
        try:
            number, at, count = self.lines.get(timeout=timeout)
        except queue.Empty:
            return
        self.taken[number] = count
        self.first = self.first or (at, count)
        self.last = at

    @property
    def total(self) -> int:
        return sum(self.taken.values())


def run(
    contender: Contender,
    command: Command,
    given: Input,
    environment: Mapping[str, str],
    check: Callable[[], None] = lambda: None,
) -> Run:
    """Start the contender on the input and return how it did; raises RunFailedError.

    `check` is called when it has taken all samples, while it still runs, and may raise RunFailedError.
    """
    wanted = min(given.samples, contender.most or given.samples)
    followed = _Followed()
    before = os.times()
    with ExitStack() as stack:
        state = stack.enter_context(tempfile.TemporaryDirectory(prefix="vigia-contest-"))
        started = [
            stack.enter_context(
                _process(
                    command, {**environment, "BENCH_STATE": state}, Path(state) / f"{number}.log", followed, number
                )
            )
            for number in range(contender.processes)
        ]
        peak, end = 0, time.monotonic() + contender.limit
        looked, started_with = 0.0, 0.0
        while followed.total < wanted:
            followed.take(0.2)
            if followed.first is not None and not started_with:
                started_with = sum(_cpu(process) for process in started)
            if time.monotonic() - looked > 0.2:  # noqa: PLR2004 - five times a second
                looked = time.monotonic()
                peak = max(peak, sum(_memory(process) for process in started))
            ended = [process.returncode for process in started if process.poll() is not None]
            if (ended and followed.lines.empty() and followed.total < wanted) or looked > end:
                why = f"ended with {ended}" if ended else f"took more than {contender.limit:.0f} s"
                raise RunFailedError(f"{why}; {followed.total} of {wanted} samples; {_tail(Path(state))}")
        working = sum(_cpu(process) for process in started) - started_with
        check()
    if followed.first is None or followed.total == followed.first[1]:
        raise RunFailedError("all samples came in one step: too few to be timed")
    at, already = followed.first
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(followed.total - already, followed.last - at, cpu, peak, working_cpu_seconds=working)


@contextmanager
def _process(
    command: Command, environment: Mapping[str, str], log: Path, followed: _Followed, number: int
) -> Iterator[subprocess.Popen[str]]:
    clean = {"PYTHONPATH": str(ROOT), **own_environment()}
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**clean, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        reader = threading.Thread(target=_follow, args=(process.stdout, followed, number), daemon=True)
        reader.start()
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join(5)
            process.stdout.close()


def _follow(output: IO[str], followed: _Followed, number: int) -> None:
    for line in output:
        word, *rest = line.split()[:3] or [""]
        if word == "PROGRESS":
            followed.lines.put((number, float(rest[0]), int(rest[1])))


def _cpu(process: subprocess.Popen[str]) -> float:
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _memory(process: subprocess.Popen[str]) -> int:
    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _tail(folder: Path) -> str:
    return " | ".join(log.read_text(errors="replace")[-TAIL:] for log in sorted(folder.glob("*.log")))
