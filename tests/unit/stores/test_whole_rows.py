"""Rows that the driver is given whole must come to the text that it makes of their values."""

from math import inf, nan

import msgspec
import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.summaries import WindowRow
from vigia.stores.sql.whole_rows import WHOLE_ROWS, Rows, text_of, values_of

DRIVER = pymysql.Connection(defer_connect=True, conv={**pymysql.converters.conversions, Rows: text_of})

finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    WindowRow,
    series_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    start=st.integers(0, 2**40),
    count=st.integers(0, 2**63 - 1),
    sum=finite,
    min=finite,
    max=finite,
    sketch=st.binary(max_size=40),
    late=st.integers(0, 2**31),
)


@given(rows)
def test_a_whole_row_is_what_the_driver_makes_of_its_values(row):
    series_id, *others = msgspec.structs.astuple(row)
    assert values_of(row) == ",".join(map(DRIVER.escape, (bytes.fromhex(series_id), *others)))


ROW = WindowRow(series_id="0f", start=0, count=1, sum=0.0, min=0.0, max=0.0, sketch=b"", late=0)


@given(st.lists(rows, min_size=1, max_size=5))
def test_many_rows_are_what_the_driver_makes_of_each(many):
    marker = "({})".format
    assert marker(DRIVER.escape(Rows(many))) == ",".join(marker(values_of(row)) for row in many)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(pymysql.ProgrammingError):
        values_of(msgspec.structs.replace(ROW, max=value))


@pytest.mark.parametrize("changes", [{"series_id": "0f',0,'"}, {"start": "0"}, {"count": "1"}, {"late": "0"}])
def test_text_is_never_taken_for_a_value(changes):
    with pytest.raises(ValueError, match=r"hexadecimal|format code"):
        values_of(msgspec.structs.replace(ROW, **changes))


def test_hours_and_days_are_whole_rows_too():
    assert all(issubclass(kind, WindowRow) for kind in WHOLE_ROWS)
    assert len(WHOLE_ROWS) == 3
