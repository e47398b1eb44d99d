"""Rebuild the summaries from the raw log: `python -m scripts.rebuild run | compare | swap | status`.

The code is in `scripts/rebuilding/`; `docs/runbooks/rebuild.md` says when to use it.
"""

import sys
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.rebuilding.command import main

if __name__ == "__main__":
    sys.exit(main())
