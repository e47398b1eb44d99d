"""What is no longer kept is deleted, and nothing else, whoever is interrupted meanwhile."""

from itertools import islice

import msgspec
import pytest

from tests.contract.summaries_rows import commit, series, take, window
from vigia.events.effects import RowRange
from vigia.events.summaries import DaySummary, HourSummary, KeptSummary, WindowSummary
from vigia.stores.sql import pruning

FAR = 10**10


def rows_of(name, kind, starts):
    return [kind(**msgspec.structs.asdict(window(name, start))) for start in starts]


def left(summaries, name, kind):
    (rows,) = summaries.rows_between([RowRange(kind, (window(name, 0).series_id,), 0, FAR)])
    return [row.start for row in rows]


@pytest.fixture
def filled(summaries, monkeypatch):
    monkeypatch.setattr(pruning, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(pruning, "SERIES_AT_ONCE", 2)
    names = ["a", "b", "c", "d", "e"]
    rows = [series(name) for name in names] + [series("other", service="mail")]
    for name in [*names, "other"]:
        rows += rows_of(name, WindowSummary, range(0, 3_000, 60))
        rows += rows_of(name, HourSummary, range(0, 36_000, 3_600))
        rows += rows_of(name, DaySummary, range(0, 864_000, 86_400))
    kept = KeptSummary(service="checkout", windows_from=1_200, hours_from=7_200, days_from=86_400)
    return summaries, commit(summaries, take(summaries), summaries=[*rows, kept])


def test_rows_from_before_they_are_kept_are_deleted_and_all_others_stay(filled):
    summaries, _ = filled
    assert sum(summaries.prune()) == 5 * (20 + 2 + 1)
    for name in "abcde":
        assert left(summaries, name, WindowSummary) == list(range(1_200, 3_000, 60))
        assert left(summaries, name, HourSummary) == list(range(7_200, 36_000, 3_600))
        assert left(summaries, name, DaySummary) == list(range(86_400, 864_000, 86_400))
    # nobody has said of this service from when on it is kept
    assert len(left(summaries, "other", WindowSummary)) == 50


def test_a_transaction_deletes_a_bounded_number_of_rows(filled):
    assert max(filled[0].prune()) == 7


def test_who_is_interrupted_goes_on_and_who_is_done_looks_at_nothing_again(filled, monkeypatch):
    summaries, row = filled
    first = sum(islice(summaries.prune(), 4))
    assert 0 < first < 5 * 23
    assert first + sum(summaries.prune()) == 5 * 23
    monkeypatch.setattr(pruning, "_delete_before", lambda *_: pytest.fail("looked at a series again"))
    assert list(summaries.prune()) == []
    monkeypatch.undo()
    later = KeptSummary(service="checkout", windows_from=1_260, hours_from=7_200, days_from=86_400)
    commit(summaries, row, summaries=[later])
    assert sum(summaries.prune()) == 5
