"""The recent past of a level, small enough to keep for every disk and process: an hour in steps of five minutes, and
eight days in hours.

Steps are means of the windows in them, kept as 32-bit floats in bytes; a step without a window is unknown (NaN).
"""

import struct
from math import nan

import msgspec
import numpy as np
from numpy.typing import NDArray

FINE_SECONDS, FINE_STEPS = 300, 12
COARSE_SECONDS, COARSE_STEPS = 3_600, 192

_FLOAT = "<f4"
_NAN = struct.pack("<f", nan)
_LARGEST = 3e38


class Steps(msgspec.Struct, array_like=True):
    """Means over steps of one length: those that are complete, oldest first, and what the present one has so far."""

    kept: bytes = b""
    at: int = 0
    """Where the present step starts, in epoch seconds."""
    sum: float = 0.0
    count: int = 0

    def add(self, start: int, value: float, seconds: int, most: int) -> bool:
        """Take in the window from `start`; return whether a step was completed by it. Windows come in order."""
        step = start // seconds * seconds
        if step == self.at or not self.count:
            self.at = step
            self.sum += value
            self.count += 1
            return False
        gap = min(most, (step - self.at) // seconds - 1)
        mean = min(_LARGEST, max(-_LARGEST, self.sum / self.count))
        self.kept = (self.kept + struct.pack("<f", mean) + _NAN * gap)[-4 * most :]
        self.at, self.sum, self.count = step, value, 1
        return True

    def values(self) -> NDArray[np.float64]:
        """The complete steps, oldest first; NaN where nothing is known."""
        return np.frombuffer(self.kept, _FLOAT).astype(np.float64)


class History(msgspec.Struct, array_like=True):
    """The past of one series on both scales; changed in place."""

    fine: Steps = msgspec.field(default_factory=Steps)
    coarse: Steps = msgspec.field(default_factory=Steps)

    def add(self, start: int, value: float) -> tuple[bool, bool]:
        """Take in a window's mean; return whether a fine and a coarse step were completed by it."""
        fine = self.fine.add(start, value, FINE_SECONDS, FINE_STEPS)
        return fine, self.coarse.add(start, value, COARSE_SECONDS, COARSE_STEPS)

    def forget_above(self, value: float) -> None:
        """Remember the hours above `value` as `value`: what belonged to a problem is not to become usual."""
        self.coarse.kept = np.fmin(self.coarse.values(), value).astype(_FLOAT).tobytes()
