"""The recent past of a level, small enough to keep for every disk and process: an hour in steps of five minutes, eight
days in hours, and the peaks of eight days, so that what is short is not lost in the mean of an hour.

Steps are means of the windows in them, or the largest of the fine steps, kept as 32-bit floats in bytes; a step without
a window is unknown (NaN).
"""

import struct
from math import nan

import msgspec
import numpy as np
from numpy.typing import NDArray

FINE_SECONDS, FINE_STEPS = 300, 12
COARSE_SECONDS, COARSE_STEPS = 3_600, 192
PEAK_SECONDS, PEAK_STEPS = 3 * 3_600, 64

_FLOAT = "<f4"
_NAN = struct.pack("<f", nan)
_LARGEST = 3e38


class Steps(msgspec.Struct, array_like=True):
    """Values of steps of one length: those that are complete, oldest first, and what the present one has so far."""

    kept: bytes = b""
    at: int = 0
    """Where the present step starts, in epoch seconds."""
    sum: float = 0.0
    count: int = 0

    def add(self, start: int, value: float, seconds: int, most: int) -> float | None:
        """Take in the window from `start`; return the mean of a step that it completed. Windows come in order."""
        if self._within(start // seconds * seconds):
            self.sum += value
            self.count += 1
            return None
        mean = self.sum / self.count
        self._complete(mean, start // seconds * seconds, seconds, most)
        self.sum, self.count = value, 1
        return mean

    def add_peak(self, start: int, value: float, seconds: int, most: int) -> None:
        """Take in a value of the step that `start` is in; a step is the largest of its values."""
        if self._within(start // seconds * seconds):
            self.sum = max(self.sum, value) if self.count else value
            self.count += 1
            return
        self._complete(self.sum, start // seconds * seconds, seconds, most)
        self.sum, self.count = value, 1

    def values(self) -> NDArray[np.float64]:
        """The complete steps, oldest first; NaN where nothing is known."""
        return np.frombuffer(self.kept, _FLOAT).astype(np.float64)

    def cap(self, value: float) -> None:
        """Lower the complete steps to at most `value`."""
        self.kept = np.fmin(self.values(), value).astype(_FLOAT).tobytes()

    def _within(self, step: int) -> bool:
        if step == self.at:
            return True
        if not self.count:
            self.at = step
            return True
        return False

    def _complete(self, value: float, step: int, seconds: int, most: int) -> None:
        gap = min(most, (step - self.at) // seconds - 1)
        value = min(_LARGEST, max(-_LARGEST, value))
        self.kept = (self.kept + struct.pack("<f", value) + _NAN * gap)[-4 * most :]
        self.at = step


class History(msgspec.Struct, array_like=True):
    """The past of one series; changed in place."""

    fine: Steps = msgspec.field(default_factory=Steps)
    coarse: Steps = msgspec.field(default_factory=Steps)
    peaks: Steps = msgspec.field(default_factory=Steps)

    def add(self, start: int, value: float) -> tuple[bool, bool]:
        """Take in a window's mean; return whether a fine and a coarse step were completed by it."""
        before = self.fine.at
        fine = self.fine.add(start, value, FINE_SECONDS, FINE_STEPS)
        if fine is not None:
            self.peaks.add_peak(before, fine, PEAK_SECONDS, PEAK_STEPS)
        return fine is not None, self.coarse.add(start, value, COARSE_SECONDS, COARSE_STEPS) is not None

    def forget_above(self, value: float) -> None:
        """Remember what was above `value` as `value`: what belonged to a problem is not to become usual."""
        self.coarse.cap(value)
        self.peaks.cap(value)
