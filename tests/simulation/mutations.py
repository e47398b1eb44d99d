"""`python -m tests.simulation.mutations` switches each rule of the stream off, in a scratch copy, and looks how many
seeds it takes until the simulation notices.

Prints the table of `docs/adr/0009-simulation.md`. A rule that is meant not to be missed says why (`rules.py`).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.simulation.rules import MUTATIONS, Change, Mutation

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("vigia", "tests/support", "tests/simulation")


def main() -> int:
    """Return 1 when a rule that nothing else covers was not missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutations", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="most seeds for a rule (default: 2,000)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only rules with these words")
    options = parser.parse_args()
    chosen = [one for one in MUTATIONS if options.only in one.rule]
    unnoticed = 0
    print("| rule that is switched off | seeds | noticed by |\n|---|---|---|", flush=True)
    for mutation in chosen:
        seeds, words = tried(mutation, options.seeds)
        if seeds is None:
            unnoticed += not mutation.covered
            words = f"none of {options.seeds:,}: {mutation.covered or 'UNNOTICED'}"
        print(f"| {mutation.rule} | {'-' if seeds is None else seeds} | {words} |", flush=True)
    return 1 if unnoticed else 0


def tried(mutation: Mutation, seeds: int) -> tuple[int | None, str]:
    """Return how many seeds it took, and what was wrong then; None when nothing was."""
    with tempfile.TemporaryDirectory(prefix="vigia-mutation-") as folder:
        for part in COPIED:
            shutil.copytree(ROOT / part, Path(folder, part), ignore=shutil.ignore_patterns("__pycache__"))
        for change in mutation.changes:
            apply(change, Path(folder))
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seeds", str(seeds)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 0:
        return None, ""
    found = re.search(r"^seed (\d+): .*\n  (.*)", done.stdout, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{mutation.rule}: {done.stdout}{done.stderr}")
    return int(found[1]) + 1, found[2][:110].replace("|", "/")


def apply(change: Change, folder: Path) -> None:
    """Change a file of the copy; raises ValueError when the rule is not written as it was."""
    name, old, new = change
    path = folder / name
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{name} has {text.count(old)} times, and not once: {old}")
    path.write_text(text.replace(old, new))


if __name__ == "__main__":
    sys.exit(main())
