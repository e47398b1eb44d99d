"""A worker on a machine whose clock is wrong: `python -m tests.support.skewed_worker SECONDS` (positive: ahead)."""

import logging
import sys
import time

from vigia.app.worker import run_worker
from vigia.settings import load

if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="INFO")
    right, ahead = time.time, float(sys.argv[1])
    time.time = lambda: right() + ahead
    sys.exit(run_worker(load()))
