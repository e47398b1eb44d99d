"""Several workers, and whoever starts one again that has ended, as `make run` does."""

import signal
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Self

from tests.support import WorkerProcess, start_worker

RESTARTED = frozenset({0, 70, 75, -signal.SIGKILL, -signal.SIGTERM})
"""Exit codes after which a worker is started again. Python ends with a signal's when it is still importing."""

LOOK_EVERY = 0.25
STOPPED_WITHIN = 60.0
LOG_SHOWN = 6_000


class Crew:
    """Worker processes that a thread keeps running; as a context manager, which ends them in order."""

    def __init__(self, env: Mapping[str, str], size: int) -> None:
        self._env = env
        self.workers = [start_worker(env) for _ in range(size)]
        self.ended: list[WorkerProcess] = []
        """Those that were started again, with their logs."""
        self._given_up: list[WorkerProcess] = []
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True)

    def check(self) -> None:
        """Fail when a worker has said that a person must look."""
        for worker in self._given_up:
            raise AssertionError(f"a worker ended with {worker.process.returncode}:\n{worker.log[-LOG_SHOWN:]}")

    def codes(self) -> Counter[int]:
        """Return how often a worker ended with which code."""
        return Counter(worker.process.returncode for worker in list(self.ended))

    def _look_after(self) -> None:
        while not self._leaving.wait(LOOK_EVERY):
            for place, worker in enumerate(self.workers):
                code = worker.process.poll()
                if code in RESTARTED:
                    self.ended.append(worker)
                    self.workers[place] = start_worker(self._env)
                elif code is not None and worker not in self._given_up:
                    self._given_up.append(worker)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        self._leaving.set()
        self._thread.join()
        running = [worker for worker in self.workers if worker.running]
        for worker in running:
            worker.process.send_signal(signal.SIGCONT)
            worker.process.terminate()
        try:
            for worker in running:
                if error is None:
                    # not `stop`: a second SIGTERM may come when nobody handles it any more
                    assert worker.wait_ended(STOPPED_WITHIN) == 0, worker.log[-LOG_SHOWN:]
                else:
                    error.add_note(f"--- log of worker {worker.pid} ---\n{worker.log[-LOG_SHOWN:]}")
        finally:
            # one that hangs must not outlive the test
            for worker in running:
                worker.kill()
        if error is None:
            self.check()
