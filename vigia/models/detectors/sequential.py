"""A sequential test of ratios: is what comes now more than this series' own past would give?

The windows' means x in [0, 1], of n observations each, are bets against "the mean is at most m0". With the Kelly bet
for a mean of p1 the wealth is multiplied by at least (p1/m0)^(n x) * ((1-p1)/(1-m0))^(n (1-x)), whatever the
distribution in [0, 1] (the logarithm is concave), and cannot grow on average while m0 holds (Waudby-Smith and Ramdas,
"Estimating means of bounded random variables by betting", JRSS B 86(1), 2024). Wealth that has fallen below 1 starts
again at 1, which makes it a CUSUM; alarms at a wealth of c come on average at most once in c windows (Shin, Ramdas and
Rinaldo, "E-detectors", New England Journal of Statistics in Data Science 2(2), 2024).
"""

from math import exp, log

import msgspec
from msgspec.structs import replace

ALTERNATIVES = (2.0, 6.0)
"""Multiples of m0 that are bet on, half of the wealth each: one finds small rises, the other big ones at once."""
MOST = 600.0
"""Bound of the logarithm of the wealth, so that what was certain for hours is over soon after it ends."""
LARGEST_MEAN = 0.9
"""Bound of m0: above it nothing could be more."""
MOST_WEIGHT = 1_440.0
"""Windows after which the mean follows no slower: a day of minutes."""
MOST_OBSERVATIONS = 10_000.0
"""More observations in a window than these count as these: they are not that independent."""


def check_learn_windows(windows: int) -> None:
    """Raise ValueError unless so many windows can ever have been learned from."""
    if not 1 <= windows <= MOST_WEIGHT:
        raise ValueError(f"learn_windows is {windows}: it must be at least 1 and at most {MOST_WEIGHT:.0f}, a day")


class Past(msgspec.Struct, frozen=True, array_like=True):
    """The mean of a ratio so far, of how many windows it is (to `MOST_WEIGHT`), and the logarithms of both wealths."""

    mean: float = 0.0
    weight: float = 0.0
    small: float = 0.0
    big: float = 0.0

    def learned(self, mean: float) -> "Past":
        """Return it with one more window's mean in [0, 1] taken in."""
        weight = min(self.weight + 1.0, MOST_WEIGHT)
        return replace(self, mean=self.mean + (mean - self.mean) / weight, weight=weight)

    def bet(self, mean: float, observations: float, least: float) -> "Past":
        """Return it after a window with this mean, against the claim that the true one is at most `least`, in (0, 1).

        >>> past = Past()
        >>> for _ in range(3):
        ...     past = past.bet(0.04, 500, least=0.01)
        >>> past.evidence > log(1e6) > Past().bet(0.04, 500, least=0.05).evidence
        True
        """
        least = min(least, LARGEST_MEAN)
        small, big = (
            max(0.0, min(MOST, wealth + _gain(mean, min(observations, MOST_OBSERVATIONS), least, multiple)))
            for wealth, multiple in zip((self.small, self.big), ALTERNATIVES, strict=True)
        )
        if small == self.small and big == self.big:
            return self
        return replace(self, small=small, big=big)

    def without_bets(self) -> "Past":
        """Return it as before the first bet."""
        return replace(self, small=0.0, big=0.0)

    @property
    def evidence(self) -> float:
        """The natural logarithm of the wealth: c or more comes by chance once in exp(c) windows at most."""
        most, least = max(self.small, self.big), min(self.small, self.big)
        return most + log((1.0 + exp(least - most)) / 2.0)


def _gain(mean: float, observations: float, least: float, multiple: float) -> float:
    bet_on = min(multiple * least, (1.0 + least) / 2.0)
    return observations * (mean * log(bet_on / least) + (1.0 - mean) * log((1.0 - bet_on) / (1.0 - least)))
