"""`python -m vigia` is the `vigia` command."""

import sys

from vigia.cli import main

if __name__ == "__main__":
    sys.exit(main())
