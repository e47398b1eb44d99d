"""What every contender prints: when it has taken how many samples. Peers run it in environments without Vigia."""

import os
import time


class Progress:
    """Prints `PROGRESS <epoch seconds> <samples>` at the first samples, about every 10,000, and at the last."""

    def __init__(self) -> None:
        self._wanted = int(os.environ["BENCH_SAMPLES"])
        self._taken = 0
        self._next = 1

    @property
    def done(self) -> bool:
        """Whether all samples have been taken."""
        return self._taken >= self._wanted

    def add(self, count: int = 1) -> None:
        """Take note of `count` samples."""
        self._taken += count
        if self._taken >= self._next:
            self._next = min(self._taken + 10_000, self._wanted)
            os.write(1, f"PROGRESS {time.time():.4f} {self._taken}\n".encode())
