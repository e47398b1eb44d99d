"""A worker in which something hangs for ever: `python -m tests.support.hanging_worker model|store`.

`model`: the metrics model computes without end, and holds up the event loop. `store`: the database never answers a
step that loads states.
"""

import logging
import sys
import threading

from vigia.app.worker import run_worker
from vigia.models.metrics import MetricsModel
from vigia.settings import load
from vigia.stores.sql.summaries import SqlSummaries


def compute_for_ever(*_arguments: object) -> None:
    """Hold up whoever calls."""
    while True:
        pass


def never_answer(*_arguments: object) -> None:
    """Wait for what never comes."""
    threading.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="INFO")
    if sys.argv[1] == "model":
        MetricsModel.apply = compute_for_ever  # type: ignore[method-assign, assignment]
    else:
        SqlSummaries.load = never_answer  # type: ignore[method-assign, assignment]
    sys.exit(run_worker(load()))
