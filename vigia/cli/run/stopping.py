"""How a person or a service manager ends the run: the first signal asks, the second one insists."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Turns signals into an event while it is entered: no KeyboardInterrupt lands in the middle of something."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.insisted = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._received) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """Wait for so long; returns whether the run shall end."""
        return self.asked.wait(seconds)

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            self.insisted.set()
        self.asked.set()
