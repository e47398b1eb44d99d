"""Windows, hours and days as SQL text, many rows at once: they are by far the most rows, and the driver takes more than
twice as long when it is given value after value.

The text is the one that the driver would make of the values.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pymysql.converters import escape_float

from vigia.events.summaries import DaySummary, HourSummary, WindowRow, WindowSummary

WHOLE_ROWS = frozenset({WindowSummary, HourSummary, DaySummary})
"""The kinds of rows that come as `Rows`."""

AT_ONCE = 100
"""Most rows in one value of the driver's."""


class Rows(NamedTuple):
    """Some rows of one kind, at least one: together one value to the driver."""

    rows: Sequence[Any]


def text_of(some: Rows, _mapping: Mapping[object, object] | None = None) -> str:
    """Return the rows as they stand between the parentheses of an INSERT's VALUES; those between two rows are in it. An
    encoder for the driver, which passes its others too.

    >>> row = WindowSummary(series_id="0f", start=60, count=2, sum=0.5, min=-1e300, max=1.5, sketch=b"ab", late=0)
    >>> text_of(Rows([row, row]))
    "X'0f',60,2,0.5e0,-1e+300,1.5e0,X'6162',0),(X'0f',60,2,0.5e0,-1e+300,1.5e0,X'6162',0"
    """
    return "),(".join(map(values_of, some.rows))


def values_of(row: WindowRow) -> str:
    """Return the values of a row in column order.

    Raises ValueError when the id is none, pymysql.ProgrammingError for what is not a finite number.
    """
    numbers = f"{row.start:d},{row.count:d},{escape_float(row.sum)},{escape_float(row.min)},{escape_float(row.max)}"
    # an id comes as text: to bytes and back, so that nothing but an id can be in it
    return f"X'{bytes.fromhex(row.series_id).hex()}',{numbers},X'{row.sketch.hex()}',{row.late:d}"
