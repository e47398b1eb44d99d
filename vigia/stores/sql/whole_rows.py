"""Windows, hours and days as SQL text, a whole row at once: they are by far the most rows, and the driver takes twice
as long when it is given value after value.

The text is the one that the driver would make of the values.
"""

from collections.abc import Mapping

from pymysql.converters import escape_float

from vigia.events.summaries import DaySummary, HourSummary, WindowRow, WindowSummary

WHOLE_ROWS = frozenset({WindowSummary, HourSummary, DaySummary})
"""The kinds of rows that `values_of` is for."""


def values_of(row: WindowRow, _mapping: Mapping[object, object] | None = None) -> str:
    """Return the values of a row in column order; an encoder for the driver, which passes its others too.

    Raises ValueError when the id is none, pymysql.ProgrammingError for what is not a finite number.

    >>> values_of(WindowSummary(series_id="0f", start=60, count=2, sum=0.5, min=-1e300, max=1.5, sketch=b"ab", late=0))
    "X'0f',60,2,0.5e0,-1e+300,1.5e0,X'6162',0"
    """
    numbers = f"{row.start:d},{row.count:d},{escape_float(row.sum)},{escape_float(row.min)},{escape_float(row.max)}"
    # an id comes as text: to bytes and back, so that nothing but an id can be in it
    return f"X'{bytes.fromhex(row.series_id).hex()}',{numbers},X'{row.sketch.hex()}',{row.late:d}"
