"""The generated pages: `python -m scripts.docs` writes them, `--check` says which are stale (exit code 1).

What a page says comes from the code that it describes; see `scripts/pages/`.
"""

import argparse
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(CHECKOUT)

from scripts.pages import PAGES  # noqa: E402 - after the path is right


def stale_pages(checkout: Path = CHECKOUT) -> list[str]:
    """Return the paths, below the checkout, of the pages that are missing or differ from what the code says."""
    return [path for path, page in PAGES.items() if _content(checkout / path) != page()]


def write_pages(checkout: Path = CHECKOUT) -> list[str]:
    """Write the stale pages and return their paths."""
    stale = stale_pages(checkout)
    for path in stale:
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(PAGES[path](), encoding="utf-8")
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.docs", description="Write the generated pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is stale")
    if parser.parse_args(arguments).check:
        stale = stale_pages()
        for path in stale:
            print(f"{path} is stale: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in write_pages():
        print(f"wrote {path}")
    return 0


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
