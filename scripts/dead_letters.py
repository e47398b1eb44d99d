"""Dead letters, for a person: `python -m scripts.dead_letters list | show ID | replay ID... | accept AGENT/PARTITION`.

`replay` and `accept` only say what they would do until told `--yes`. Exit codes: 0 done (or possible, without `--yes`);
1 something asked for cannot be done, each with its reason; 2 wrong usage; 75 a store or the broker did not answer; 78
settings or a store that cannot be used. Settings are the application's (`VIGIA_*`, `config/vigia.toml`). The parts are
in `scripts/letters/`.
"""

import sys
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scripts.letters.command import main

if __name__ == "__main__":
    sys.exit(main())
