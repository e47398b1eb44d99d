"""What every summaries' database promises about the rows of a step: states, timers, outputs and the others."""

import msgspec
import pytest

from tests.contract.summaries_rows import (
    LANE,
    NOON,
    OTHER,
    commit,
    deployment,
    letter,
    output,
    problem,
    seen,
    series,
    take,
    window,
)
from vigia.events.effects import RowRange, Timer, row_key
from vigia.events.identity import derive_id
from vigia.events.summaries import AIDecisionSummary, HourSummary, SeriesSummary, WindowSummary
from vigia.stores.base import StateRow
from vigia.stores.sql import states as states_module


def key_of(row):
    return type(row), tuple(getattr(row, field) for field in row.primary_key)


def test_a_state_is_inserted_replaced_and_deleted(summaries):
    row = commit(summaries, take(summaries), states=[StateRow("b", 1, b"1"), StateRow("a", 1, b"2")])
    row = commit(summaries, row, states=[StateRow("a", 2, b""), StateRow("b", 1, None), StateRow("never", 1, None)])
    assert summaries.load(LANE, ["a", "b", "never"], []).states == {"a": StateRow("a", 2, b"")}


def test_states_of_another_lane_are_not_seen(summaries):
    commit(summaries, take(summaries), states=[StateRow("a", 1, b"mine")])
    commit(summaries, take(summaries, OTHER), states=[StateRow("a", 1, b"theirs")])
    assert summaries.load(LANE, ["a"], []).states["a"].body == b"mine"
    assert summaries.load(OTHER, ["a"], []).states["a"].body == b"theirs"


def test_thousands_of_keys_are_loaded_and_written_at_once(summaries):
    many = [StateRow(f"key-{i:04}", i, bytes([i % 256]) * (i % 50)) for i in range(2_500)]
    ids = [seen(i) for i in range(2_500)]
    commit(summaries, take(summaries), states=many, seen=ids)
    loaded = summaries.load(LANE, [row.key for row in many] + ["none"], [row.seen_id for row in ids] + [b"none"])
    assert loaded.states == {row.key: row for row in many}
    assert loaded.seen == {row.seen_id: row.content for row in ids}


def test_loading_nothing_gives_nothing(summaries):
    loaded = summaries.load(LANE, [], [])
    assert (loaded.states, loaded.seen) == ({}, {})
    assert summaries.rows([]) == {}


def test_seen_ids_come_back_with_their_content(summaries):
    commit(summaries, take(summaries), seen=[seen(1), seen(2, content=b"\x00\xff'\\%s" + b"x" * 10)])
    found = summaries.load(LANE, [], [seen(2).seen_id, seen(3).seen_id]).seen
    assert found == {seen(2).seen_id: b"\x00\xff'\\%s" + b"x" * 10}
    assert summaries.load(OTHER, [], [seen(2).seen_id]).seen == {}


def test_old_seen_ids_are_forgotten_a_bounded_number_at_a_time_oldest_first(summaries, monkeypatch):
    monkeypatch.setattr(states_module, "FORGET_AT_ONCE", 3)
    row = commit(summaries, take(summaries), seen=[seen(i, NOON - i) for i in range(6)])
    commit(summaries, take(summaries, OTHER), seen=[seen(9, NOON - 9)])
    ids = [seen(i).seen_id for i in range(6)]
    row = commit(summaries, row, forget_seen_before=NOON - 1)
    assert sorted(summaries.load(LANE, [], ids).seen) == ids[:3]
    row = commit(summaries, row, forget_seen_before=NOON - 1)
    assert sorted(summaries.load(LANE, [], ids).seen) == ids[:2]
    assert summaries.load(OTHER, [], [seen(9).seen_id]).seen


def test_more_seen_ids_are_forgotten_than_a_large_step_adds(summaries, monkeypatch):
    monkeypatch.setattr(states_module, "FORGET_AT_ONCE", 3)
    row = commit(summaries, take(summaries), seen=[seen(i, NOON - 10) for i in range(10)])
    new = [seen(i, NOON) for i in range(10, 14)]
    commit(summaries, row, seen=new, forget_seen_before=NOON - 1)
    assert len(summaries.load(LANE, [], [seen(i).seen_id for i in range(14)]).seen) == 2 + len(new)


def test_timers_come_in_the_order_of_time_kind_and_key(summaries):
    timers = [
        Timer("b", "x", 5.0),
        Timer("a", "z", 5.0),
        Timer("a", "y", 5.0),
        Timer("c", "x", 1.5),
        Timer("a", "x", 9.0),
    ]
    commit(summaries, take(summaries), timers_set=timers)
    commit(summaries, take(summaries, OTHER), timers_set=[Timer("a", "q", 0.5)])
    expected = sorted(timers, key=lambda timer: (timer.due, timer.kind, timer.key))
    assert summaries.due(LANE, 100.0, 10) == expected
    assert summaries.due(LANE, 5.0, 10) == expected[:4]
    assert summaries.due(LANE, 4.999, 10) == expected[:1]
    assert summaries.due(LANE, 100.0, 2) == expected[:2]
    assert summaries.next_due(LANE) == 1.5


def test_setting_a_timer_again_moves_it(summaries):
    row = commit(summaries, take(summaries), timers_set=[Timer("close", "a", 5.0)])
    commit(summaries, row, timers_set=[Timer("close", "a", 7.25)])
    assert summaries.due(LANE, 100.0, 10) == [Timer("close", "a", 7.25)]
    assert summaries.next_due(LANE) == 7.25


def test_clearing_timers_takes_exactly_those(summaries):
    kept = [Timer("expire", "a", 5.0), Timer("close", "b", 5.0)]
    row = commit(summaries, take(summaries), timers_set=[Timer("close", "a", 5.0), Timer("expire", "b", 5.0), *kept])
    commit(summaries, row, timers_cleared=[("close", "a"), ("expire", "b"), ("close", "never")])
    assert summaries.due(LANE, 100.0, 10) == [Timer("close", "b", 5.0), Timer("expire", "a", 5.0)]


def test_a_timer_that_is_cleared_and_set_in_one_step_is_set(summaries):
    row = commit(summaries, take(summaries), timers_set=[Timer("close", "a", 5.0)])
    commit(summaries, row, timers_cleared=[("close", "a")], timers_set=[Timer("close", "a", 6.0)])
    assert summaries.due(LANE, 100.0, 10) == [Timer("close", "a", 6.0)]


def test_outputs_come_by_number_and_leave_when_acknowledged(summaries):
    outputs = [
        output(10, headers=(("id", b"\xff\x00"), ("id", b"")), partition=3),
        output(2, key=b"", value=b"\x00" * 70_000),
        output(1),
    ]
    commit(summaries, take(summaries), outbox=outputs)
    commit(summaries, take(summaries, OTHER), outbox=[output(1)])
    assert summaries.outbox(LANE, 10) == outputs[::-1]
    assert summaries.outbox(LANE, 2) == outputs[:0:-1]
    summaries.delete_outbox(LANE, [1, 10, 99])
    summaries.delete_outbox(LANE, [])
    assert summaries.outbox(LANE, 10) == [outputs[1]]
    assert summaries.outbox(OTHER, 10) == [output(1)]


def test_attempts_are_counted_by_place(summaries):
    assert summaries.attempts(LANE, "metrics", 5) == 0
    assert [summaries.record_attempt(LANE, "metrics", 5, "Traceback 😱" * 5_000) for _ in range(3)] == [1, 2, 3]
    assert summaries.attempts(LANE, "metrics", 5) == 3
    for elsewhere in ((OTHER, "metrics", 5), (LANE, "feedback", 5), (LANE, "metrics", 6)):
        assert summaries.attempts(*elsewhere) == 0


def test_dead_letters_are_listed_oldest_first_page_by_page(summaries):
    letters = [letter(str(i), at=NOON + i // 2) for i in range(7)]
    commit(summaries, take(summaries), dead_letters=letters)
    expected = sorted(letters, key=lambda row: (row.at, row.letter_id))
    assert summaries.dead_letters(None, 100) == expected
    pages, after = [], ""
    while page := summaries.dead_letters("open", 2, after):
        pages += page
        after = page[-1].letter_id
    assert pages == expected
    with pytest.raises(LookupError, match="no dead letter"):
        summaries.dead_letters("open", 2, "unknown")


def test_a_dead_letter_keeps_64_kib_and_its_traceback(summaries):
    huge = letter("huge", body=bytes(range(256)) * 256, body_size=900_000, detail="é" * 70_000, key=b"\xff" * 70_000)
    commit(summaries, take(summaries), dead_letters=[huge])
    assert summaries.dead_letter(huge.letter_id) == huge
    assert summaries.dead_letter("unknown") is None


def test_marked_dead_letters_leave_the_open_ones(summaries):
    letters = [letter(str(i), at=NOON + i) for i in range(3)]
    row = commit(summaries, take(summaries), dead_letters=letters)
    ids = [one.letter_id for one in letters]
    assert summaries.mark_dead_letters([ids[0], ids[1], ids[1], "unknown"], "replayed") == 2
    assert summaries.mark_dead_letters(ids, "replayed") == 1
    assert summaries.mark_dead_letters([], "open") == 0
    assert summaries.dead_letters("open", 10) == []
    # refused once more in a rebuild: a person's answer stands
    commit(summaries, row, dead_letters=letters)
    assert [one.status for one in summaries.dead_letters(None, 10)] == ["replayed"] * 3


def test_a_summary_row_is_inserted_and_replaced(summaries):
    row = commit(summaries, take(summaries), summaries=[window("a", 60), series("a"), deployment("1"), problem("p")])
    later = window("a", 60, count=9, late=2, sum=1.5)
    commit(summaries, row, summaries=[later, deployment("1", stage="finished", risk=None, outcome="failed")])
    wanted = [later, series("a"), deployment("1", stage="finished", risk=None, outcome="failed"), problem("p")]
    assert summaries.rows(map(key_of, wanted)) == {row_key(one): one for one in wanted}


def test_rows_are_found_by_both_parts_of_their_key(summaries):
    written = [window(name, start) for name in "abc" for start in (0, 60, 120)]
    commit(summaries, take(summaries), summaries=written)
    wanted = [window("a", 0), window("b", 120), window("b", 0)]
    found = summaries.rows([*map(key_of, wanted), (WindowSummary, (window("c", 0).series_id, 61))])
    assert found == {row_key(one): one for one in wanted}


def test_thousands_of_rows_are_written_and_found_at_once(summaries):
    written = [window(str(i % 700), i // 700 * 60, count=i) for i in range(2_100)] + [
        series(str(i)) for i in range(700)
    ]
    commit(summaries, take(summaries), summaries=written)
    assert summaries.rows(map(key_of, written)) == {row_key(one): one for one in written}


def test_names_that_differ_in_case_accent_or_script_are_different(summaries):
    names = [
        "agent",
        "Agent",
        "agént",
        "agent😀",
        "agent😁",
        "\N{FULLWIDTH LATIN SMALL LETTER A}gent",
        "ß",
        "ss",
        "a'b\\c\"d%s`",
        "null\x00byte",
    ]
    rows = [
        AIDecisionSummary(
            agent=name,
            decision_id="1",
            decision_type="merge",
            decision=name,
            at=NOON,
            confidence=None,
            execution_time=1.5,
            model_version="",
            reference=name,
        )
        for name in names
    ]
    states = [StateRow(name, i, name.encode()) for i, name in enumerate(names)]
    timers = [Timer("close", name, 1.0) for name in names]
    commit(summaries, take(summaries), summaries=rows, states=states, timers_set=timers)
    assert summaries.rows(map(key_of, rows)) == {row_key(one): one for one in rows}
    assert summaries.load(LANE, names, []).states == {row.key: row for row in states}
    assert [timer.key for timer in summaries.due(LANE, 1.0, 100)] == sorted(names)


def test_the_longest_names_and_texts_fit(summaries):
    long = series("long", service="😀" * 200, metric="é" * 200, labels="x" * 4_000)
    key = "😀" * 640
    commit(
        summaries,
        take(summaries),
        summaries=[long, problem("p", why="😀" * 4_000)],
        states=[StateRow(key, 1, b"\xff" * 3_000_000)],
        timers_set=[Timer("k" * 40, key, 1.0)],
    )
    assert summaries.rows([(SeriesSummary, (long.series_id,))]) == {row_key(long): long}
    assert summaries.load(LANE, [key], []).states[key].body == b"\xff" * 3_000_000
    assert summaries.due(LANE, 1.0, 1) == [Timer("k" * 40, key, 1.0)]


def test_an_id_that_is_not_32_hex_characters_is_a_bug(summaries):
    row = take(summaries)
    with pytest.raises(ValueError, match="non-hexadecimal"):
        commit(summaries, row, summaries=[msgspec.structs.replace(window("a", 0), series_id="not an id")])
    assert summaries.read_lane(LANE) == row


def test_rows_between_come_in_order_for_each_range_and_ranges_may_overlap(summaries):
    one, other, none = (derive_id("series", name) for name in ("one", "other", "none"))
    rows = {name: [window(name, 60 * minute) for minute in range(10)] for name in ("one", "other")}
    hour = HourSummary(**msgspec.structs.asdict(window("one", 0, count=30)))
    commit(summaries, take(summaries), summaries=[*reversed(rows["one"]), *rows["other"], hour])
    wanted = [
        RowRange(WindowSummary, (one,), 60, 241),
        RowRange(HourSummary, (one,), 0, 3_600),
        RowRange(WindowSummary, (other,), 540, 10_000),
        RowRange(WindowSummary, (one,), 240, 360),
        RowRange(WindowSummary, (none,), 0, 10_000),
    ]
    expected = [rows["one"][1:5], [hour], rows["other"][9:], rows["one"][4:6], []]
    assert summaries.rows_between(wanted) == expected
    assert summaries.rows_between([]) == []


def test_more_ranges_are_read_than_one_statement_names(summaries):
    rows = [window(str(number), 60) for number in range(130)]
    commit(summaries, take(summaries), summaries=rows)
    found = summaries.rows_between([RowRange(WindowSummary, (row.series_id,), 0, 61) for row in rows])
    assert found == [[row] for row in rows]
