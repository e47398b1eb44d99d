"""A worker of a release whose metrics model has a bug: `python -m tests.faults.buggy_worker VALUE`.

It fails on every batch that has a sample of that value.
"""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from vigia.app.worker import run_worker
from vigia.events.samples import Sample
from vigia.models.metrics import MetricsModel
from vigia.settings import load


def break_model(poison: float) -> None:
    """Let the model fail after it has changed its states, as bugs do."""
    right = MetricsModel.apply

    def apply(self: MetricsModel, events: Sequence[Sample], *rest: Any) -> None:
        right(self, events, *rest)
        if any(event.value == poison for event in events):
            raise ZeroDivisionError("this release cannot take this value")

    MetricsModel.apply = apply  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="INFO")
    break_model(float(sys.argv[1]))
    sys.exit(run_worker(load()))
