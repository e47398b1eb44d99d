"""What the values of a series are multiplied by to be ratios or seconds, by its unit."""

from vigia.events.samples import Series

PERCENT = ("%", "percent")
RATIOS = ("", "1", *PERCENT)
"""Units that a ratio may have; without one it is not in percent."""
ROUNDED = 1.01
"""All of something as senders round it or as two sums give it when they are divided; what is above is no share."""
BYTES = ("By", "bytes")
SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
"""Units of durations in seconds."""


def ratio_scale(series: Series) -> float:
    """Return 0.01 for a series in percent, else 1."""
    return 0.01 if series.unit in PERCENT else 1.0
