"""Every summaries' database gives back what it was given: floats bit for bit, texts and bytes as they were."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.summaries_rows import LANE, commit, take, window
from vigia.events.effects import Timer
from vigia.events.summaries import WindowSummary
from vigia.stores.base import StateRow
from vigia.stores.sql.summaries import open_summaries

HARD_FLOATS = [
    0.1 + 0.2,
    1e-300,
    1e300,
    5e-324,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    1.7976931348623157e308,
    9007199254740993.0,
    1e22,
    1e23,
    123456789012345678.0,
    1.0,
    1 / 3,
    4.35,
    0.000001,
    1e15,
    1e16,
    1e17,
    1_700_000_000.123456,
    0.0,
]


@pytest.mark.parametrize("sign", [1, -1])
def test_floats_come_back_bit_for_bit(summaries, sign):
    values = [sign * value for value in HARD_FLOATS]
    rows = [window("a", i, sum=value, min=value, max=-value) for i, value in enumerate(values)]
    row = commit(summaries, take(summaries), summaries=rows, lane={"clock": values[0]})
    found = summaries.rows([(WindowSummary, (one.series_id, one.start)) for one in rows])
    read = [found["WindowSummary", one.series_id, one.start] for one in rows]
    # + 0.0: SQLite keeps no negative zero
    assert [bits(one.sum) for one in read] == [bits(value + 0.0) for value in values]
    assert [bits(one.max) for one in read] == [bits(-value + 0.0) for value in values]
    assert summaries.read_lane(LANE) == row


def test_any_value_comes_back(summaries_url, summaries):
    # the fixture's database is shared by all examples: each writes under names of its own
    row = take(summaries)
    other = open_summaries(summaries_url)

    @settings(max_examples=60)
    @given(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50).filter(
            lambda text: text == text.rstrip(" ")
        ),
        st.binary(max_size=300),
        st.integers(-(2**63), 2**63 - 1),
    )
    def check(floats, text, body, number):
        nonlocal row
        rows = [window("any", i, sum=value, count=number, sketch=body) for i, value in enumerate(floats)]
        timer = Timer("any", text, floats[0])
        state = StateRow(text, 7, body)
        row = commit(
            summaries, row, summaries=rows, states=[state], timers_set=[timer], lane={"offsets": {text: number}}
        )
        found: list[Any] = list(other.rows([(WindowSummary, (one.series_id, one.start)) for one in rows]).values())
        found.sort(key=lambda one: one.start)
        assert found == rows
        assert [bits(one.sum) for one in found] == [bits(value + 0.0) for value in floats]
        assert other.load(LANE, [text], []).states == {text: state}
        assert timer in other.due(LANE, floats[0], 1_000_000)
        assert other.read_lane(LANE) == row

    check()
    other.close()


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()
