"""What the figures were measured on."""

import os
import platform
from datetime import UTC, datetime

import psutil

BUSY = 1.0
"""Load average above which other work falsifies the figures."""


def describe() -> dict[str, object]:
    """Return the machine's facts that the figures depend on, and the day."""
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
