"""Score a series online: `python -m scripts.ml.detect IN.csv OUT.csv`.

Reads `timestamp,value`, whatever other columns there are, and writes `timestamp,value,anomaly_score`, a row for each
row, in the same order; a score is in [0, 1] and uses only rows up to its own. A missing value scores 0.
"""

import argparse
import csv
import sys
from pathlib import Path

from scripts.ml.detection.scorers import vigia
from scripts.ml.detection.series import SeriesError, read_series


def main(arguments: list[str] | None = None) -> int:
    """Return 2 when the input is no series or a file cannot be read or written."""
    parser = argparse.ArgumentParser(prog="python -m scripts.ml.detect", description=__doc__)
    parser.add_argument("input", type=Path, metavar="IN.csv")
    parser.add_argument("output", type=Path, metavar="OUT.csv")
    options = parser.parse_args(arguments)
    try:
        series = read_series(options.input, labelled=False)
        with options.output.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("timestamp", "value", "anomaly_score"))
            writer.writerows((*row, score) for row, score in zip(series.written, vigia(series), strict=True))
    except (SeriesError, OSError) as error:
        print(f"detect: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
