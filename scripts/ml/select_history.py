"""Make `vigia/feeds/data/sentry-2011.csv.gz` from the published data set: `python -m scripts.ml.select_history FILE`.

FILE is `sentry.csv.gz` in the column format of the published data with the time at which a defect was found. The result
is the same, byte for byte, on every run.
"""

import csv
import gzip
import io
import sys
from pathlib import Path

TARGET = Path("vigia/feeds/data/sentry-2011.csv.gz")
FIRST, COUNT = 600, 600
"""Which of the changes that touch anything: 2011, the first year with a change or two a day, so that outcomes arrive
while there is still something to score."""

TOUCHES = ("la", "ld", "nf", "lt")
"""A row in which all of these are zero is a merge."""


def main(source: str) -> None:
    """Write the selection."""
    with gzip.open(source, "rt", encoding="ascii", newline="") as lines:
        rows = list(csv.reader(lines))
    header, changes = rows[0], rows[1:]
    places = [header.index(name) for name in TOUCHES]
    selected = [row for row in changes if any(float(row[place]) for place in places)][FIRST : FIRST + COUNT]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *selected])
    TARGET.write_bytes(gzip.compress(text.getvalue().encode("ascii"), mtime=0))
    print(f"{TARGET}: {len(selected)} changes, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
