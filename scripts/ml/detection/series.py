"""Series in CSV files: a time and a value a row, and a label where there is one."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


class SeriesError(ValueError):
    """A file that is not a series; the message says where and why."""


LATEST = 1e11
"""Epoch seconds in the year 5138; what is larger counts milliseconds."""


@dataclass(frozen=True, slots=True)
class Series:
    """Rows in the file's order; times in epoch seconds, NaN for a value that is missing. `written` is each row's time
    and value as the file has them; `labels` is empty where the file has none.
    """

    name: str
    times: Sequence[float]
    values: Sequence[float]
    labels: Sequence[bool]
    written: Sequence[tuple[str, str]]


def read_series(path: Path, name: str = "", *, labelled: bool = True) -> Series:
    """Return the series in `path`: a header with `timestamp`, `value` and perhaps `label`, in any case and order.

    Times are ISO 8601 (UTC where they name no zone) or epoch seconds. An empty value is missing. A label is a number,
    above 0 for an anomaly; it is not looked at unless `labelled`. Raises SeriesError.
    """
    times: list[float] = []
    values: list[float] = []
    labels: list[bool] = []
    written: list[tuple[str, str]] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        for place, row in _rows(path, file):
            stamp, value = row["timestamp"], row["value"]
            try:
                times.append(epoch_seconds(stamp))
                values.append(_number(value))
                if labelled and "label" in row:
                    labels.append(_label(row["label"]))
            except ValueError as error:
                raise SeriesError(f"{place}: {error}") from error
            written.append((stamp, value))
    return Series(name or path.name, times, values, labels, written)


def _rows(path: Path, file: Iterator[str]) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv.reader(file)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        missing = {"timestamp", "value"} - set(header)
        if missing:
            raise SeriesError(f"{path}, line 1: no column {' and none '.join(sorted(missing))} in {header}")
        for row in reader:
            place = f"{path}, line {reader.line_num}"
            if not row:
                continue
            if len(row) != len(header):
                raise SeriesError(f"{place}: {len(row)} fields, and the header has {len(header)}")
            yield place, dict(zip(header, row, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise SeriesError(f"{path}, line {reader.line_num}: {error}") from error


def epoch_seconds(text: str) -> float:
    """Return a time in epoch seconds; raises ValueError.

    >>> epoch_seconds("1970-01-01 00:01:00"), epoch_seconds("1970-01-01T01:01:00+01:00"), epoch_seconds("60")
    (60.0, 60.0, 60.0)
    """
    try:
        number = float(text)
    except ValueError:
        return _of_date(text)
    if not 0 <= number < LATEST:
        raise ValueError(f"{text!r} is no time in epoch seconds; milliseconds are not understood")
    return number


def _of_date(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"timestamp is {text!r}: write 2026-01-31 12:00:00, or epoch seconds") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        raise ValueError(f"value is {text!r}, which is no number; what is missing is left empty") from None


def _label(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        raise ValueError(f"label is {text!r}, which is no number") from None
