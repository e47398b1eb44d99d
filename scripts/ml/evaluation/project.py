"""A recorded project: commits in time order, with the time at which each proved defective, if it did.

What can be used but contradicts itself is used as it stands, and counted (`Project.odd`): the recorded projects have
such rows, too.
"""

import csv
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vigia.events.times import epoch_seconds
from vigia.models.risk.basis import FEATURES

WAITING_TIME = 90 * 86_400.0
"""Seconds after which a commit without a known defect is called clean."""


class Unreadable(Exception):
    """The file is no recorded project; says where and why."""


class Project(NamedTuple):
    """Rows of commits; arrays have one entry a commit."""

    name: str
    at: list[float]
    found: list[float | None]
    """When the defect became known, not before the commit itself; None: never."""
    defective: NDArray[np.bool_]
    values: list[list[float | None]]
    """The features, in the order of `FEATURES`; an empty cell is not known."""
    odd: Mapping[str, int]
    """How often the file contradicts itself, by the keys of `ODD`."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Defective as far as was known when the waiting time had passed."""
        pairs = zip(self.at, self.found, strict=True)
        return np.array([found is not None and found <= at + WAITING_TIME for at, found in pairs])

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Rows in which every feature but `fix` is zero, as merges are recorded. What is not known is not zero."""
        return np.array([all(value == 0.0 for value in row[1:]) for row in self.values])

    @property
    def lines_added(self) -> NDArray[np.float64]:
        """Lines added; not known counts as none."""
        place = FEATURES.index("la")
        return np.array([row[place] or 0.0 for row in self.values])


ODD = {
    "clean_but_found": "rows are clean, but say when a defect was found: taught as defective, judged as clean",
    "defective_never_found": "rows are defective, but do not say when that was found: taught as clean, judged as "
    "defective",
    "found_before_commit": "rows say that a defect was found before the commit: taken as found at once",
    "short_lines": "lines are shorter than the header: what is missing is not known",
    "long_lines": "lines are longer than the header: what is beyond it is not read",
    "repeated_columns": "columns are in the header once more: the last of a name counts",
}
"""What is odd of a file that is used all the same, in words that follow a count."""

GZIP = b"\x1f\x8b"
"""How gzipped files begin (RFC 1952)."""


def read(path: Path) -> Project:
    """Return the project of a file; raises `Unreadable`."""
    rows: list[_Row] = []
    odd: Counter[str] = Counter()
    try:
        with path.open("rb") as file:
            opened = gzip.open if file.read(2) == GZIP else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            header = reader.fieldnames or ()
            lacking = [name for name in ("commit_ts", "defect_found_ts", "defective", *FEATURES) if name not in header]
            if lacking:
                raise Unreadable(f"{path}: lacks the columns {', '.join(lacking)}; see vigia/feeds/data/README.md")
            odd["repeated_columns"] = len(header) - len(set(header))
            for cells in reader:
                row = _row(path, reader.line_num, cells)
                odd.update(_odd(row, cells))
                rows.append(row)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise Unreadable(f"{path}: cannot be read as CSV, gzipped or not: {error}") from error
    if not rows:
        raise Unreadable(f"{path}: has no commits")
    rows.sort(key=lambda row: row.at)
    return Project(
        name=path.name.removesuffix(".gz").removesuffix(".csv"),
        at=[row.at for row in rows],
        # a defect cannot be known before its commit exists (some rows of the recorded projects say so, by clock errors)
        found=[None if row.found is None else max(row.found, row.at) for row in rows],
        defective=np.array([row.defective for row in rows]),
        values=[row.values for row in rows],
        odd={key: odd[key] for key in ODD},
    )


class _Row(NamedTuple):
    at: float
    found: float | None
    defective: bool
    values: list[float | None]


def _row(path: Path, line: int, cells: dict[str, str | None]) -> _Row:
    try:
        at, found, defective = (_number(cells, name) for name in ("commit_ts", "defect_found_ts", "defective"))
        values = [_number(cells, name) for name in FEATURES]
        for name, time in (("commit_ts", at), ("defect_found_ts", found)):
            if time is not None:
                epoch_seconds(time, name)
    except ValueError as error:
        raise Unreadable(f"{path}, line {line}: {error}") from error
    if at is None or defective not in (0.0, 1.0):
        raise Unreadable(f"{path}, line {line}: needs commit_ts, and defective as 0 or 1")
    return _Row(at, found, defective == 1.0, values)


def _odd(row: _Row, cells: dict[str | Any, Any]) -> Iterator[str]:
    """Say what is wrong with a row that is used."""
    if row.found is not None and not row.defective:
        yield "clean_but_found"
    if row.found is None and row.defective:
        yield "defective_never_found"
    if row.found is not None and row.found < row.at:
        yield "found_before_commit"
    if None in cells.values():
        yield "short_lines"
    # where the reader puts cells that have no column
    if None in cells:
        yield "long_lines"


def _number(cells: dict[str, str | None], name: str) -> float | None:
    text = cells[name]
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {text!r}, which is no finite number; what is not known is left empty")
    return value
