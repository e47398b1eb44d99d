"""A recorded project: commits in time order, with the time at which each proved defective, if it did."""

import csv
import gzip
import math
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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

    @property
    def known(self) -> NDArray[np.bool_]:
        """Defective as far as was known when the waiting time had passed."""
        pairs = zip(self.at, self.found, strict=True)
        return np.array([found is not None and found <= at + WAITING_TIME for at, found in pairs])

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Rows in which every feature but `fix` is zero, as merges are recorded."""
        return np.array([not any(row[1:]) for row in self.values])

    @property
    def lines_added(self) -> NDArray[np.float64]:
        """Lines added; not known counts as none."""
        place = FEATURES.index("la")
        return np.array([row[place] or 0.0 for row in self.values])


GZIP = b"\x1f\x8b"
"""How gzipped files begin (RFC 1952)."""


def read(path: Path) -> Project:
    """Return the project of a file; raises `Unreadable`."""
    rows = []
    try:
        with path.open("rb") as file:
            opened = gzip.open if file.read(2) == GZIP else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            lacking = [
                name
                for name in ("commit_ts", "defect_found_ts", "defective", *FEATURES)
                if name not in (reader.fieldnames or ())
            ]
            if lacking:
                raise Unreadable(f"{path}: lacks the columns {', '.join(lacking)}; see vigia/feeds/data/README.md")
            rows = [_row(path, number, row) for number, row in enumerate(reader, start=2)]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise Unreadable(f"{path}: cannot be read as CSV, gzipped or not: {error}") from error
    if not rows:
        raise Unreadable(f"{path}: has no commits")
    rows.sort(key=lambda row: row[0])
    return Project(
        name=path.name.removesuffix(".gz").removesuffix(".csv"),
        at=[row[0] for row in rows],
        found=[row[1] for row in rows],
        defective=np.array([row[2] for row in rows]),
        values=[row[3] for row in rows],
    )


def _row(path: Path, number: int, row: dict[str, str | None]) -> tuple[float, float | None, bool, list[float | None]]:
    try:
        at, found, defective = (_number(row, name) for name in ("commit_ts", "defect_found_ts", "defective"))
        values = [_number(row, name) for name in FEATURES]
    except ValueError as error:
        raise Unreadable(f"{path}, line {number}: {error}") from error
    if at is None or defective not in (0.0, 1.0):
        raise Unreadable(f"{path}, line {number}: needs commit_ts, and defective as 0 or 1")
    # a defect cannot be known before its commit exists (some rows of the recorded projects say so, by clock errors)
    return at, None if found is None else max(found, at), defective == 1.0, values


def _number(row: dict[str, str | None], name: str) -> float | None:
    text = row[name]
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {text!r}, which is no finite number; what is not known is left empty")
    return value
