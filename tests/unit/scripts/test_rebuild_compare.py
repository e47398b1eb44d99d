"""What differs is found and named, in every table; what is the owner's or a person's business is not."""

import asyncio
import re

import pytest

from scripts.rebuilding import places
from scripts.rebuilding.differences import walk
from scripts.rebuilding.tables import KEPT_FROM, NOT_COMPARED, compared_tables
from tests.unit.scripts.rebuild_running import compared, execute, rebuilt
from tests.unit.scripts.rebuild_world import World, settings_in
from vigia.events.samples import Sample
from vigia.stores.base import RawBatch, RawRecord
from vigia.stores.sql.tables import metadata
from vigia.streaming.intake import encoded

CHANGES = [
    ("lanes", """counts = replace(counts, '.applied":', '.applied":1')""", r"counts\..+\.applied"),
    ("lanes", "outbox_next = outbox_next + 1", "outbox_next"),
    ("lanes", "flood_run = flood_run + 1", "flood_run"),
    ("lanes", "clock = clock + 0.001", "clock"),
    ("lanes", "stopped = 'by hand'", "stopped"),
    ("steps", "clock = clock + 0.001", "clock"),
    ("interventions", "because = ''", "because"),
    ("states", "body = CAST(substr(body, 1, length(body) - 1) || x'07' AS BLOB)", "body.*"),
    ("due", "due = due + 0.5", "due"),
    ("seen", "content = x'00'", "content"),
    ("dead_letters", "detail = detail || '.'", "detail"),
    ("series", "first_seen = first_seen - 0.5", "first_seen"),
    ("windows", "count = count + 1", "count"),
    ("windows", "sum = sum * (1 + 1e-8) + 1e-300", "sum"),
    ("windows", "sketch = CAST(sketch || x'00' AS BLOB)", "sketch"),
    ("hours", "max = max * (1 + 1e-8) + 1", "max"),
    ("days", "late = late + 1", "late"),
    ("kept", "hours_from = hours_from + 1", "hours_from"),
    ("deployments", "risk = risk + 1e-8", "risk"),
    ("deployments", "outcome_at = NULL, planned_at = 5", ".*_at"),
    ("incidents", "title = 'It is up'", "title"),
    ("problems", "severity = 'P9'", "severity"),
    ("problem_groups", "released = 7", "released"),
    ("mutes", "lifted_by = 'jo'", "lifted_by"),
    ("proposals", "why = ''", "why"),
    ("ai_decisions", "decision = 'no'", "decision"),
    ("ai_decision_tallies", "squared_error = squared_error + 1", "squared_error"),
    ("ai_decision_times", "sketch = CAST(sketch || x'00' AS BLOB)", "sketch"),
    ("verdicts", "by = 'eve'", "by"),
    ("deliveries", "intervention = 7", "intervention"),
    ("deliveries", "exposed_at = 5, at = 6", ".*at"),
    ("delivered_commits", "carriers = '[]'", "carriers"),
    ("attributions", "kind = 'resolves'", "kind"),
    ("sender_surpluses", "surplus = surplus + 1", "surplus"),
    ("contradictions", "stands = ''", "stands"),
]
KEYS = {table.name: [column.name for column in table.table.primary_key] for table in compared_tables()}


def first_row(table: str) -> str:
    """The condition that picks the first row of a table."""
    key = ", ".join(f'"{name}"' for name in KEYS[table])
    return f"({key}) IN (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"


@pytest.mark.parametrize(("table", "change", "field"), CHANGES)
def test_one_changed_value_is_found_and_named(life, table, change, field):
    execute(life.data_dir / "summaries.db", f"UPDATE {table} SET {change} WHERE {first_row(table)}")
    report = compared(life, tolerance=1e-9)
    assert set(report.found) == {table}
    assert {each.table for each in report.differences} == {table}
    for each in report.differences:
        assert each.live != each.rebuilt
        assert re.fullmatch(field, each.field), each


def found_in(table, life):
    """Return the differences. Without the row of a series or service nobody knows which of its rows may be gone."""
    found = compared(life).differences
    return [each for each in found if each.table == table] if table in {"series", "kept"} else found


@pytest.mark.parametrize("table", sorted(KEYS.keys() - {"lanes", "steps", "interventions"}))
def test_a_row_too_few_or_too_many_is_found(life, table):
    live = life.data_dir / "summaries.db"
    execute(live, f"DELETE FROM {table} WHERE {first_row(table)}")
    (difference,) = found_in(table, life)
    assert (difference.table, difference.field, difference.live) == (table, "row", "(absent)")
    rebuilt_file = life.data_dir / "summaries_rebuild.db"
    execute(rebuilt_file, f"DELETE FROM {table} WHERE {first_row(table)}")
    assert compared(life).equal
    execute(rebuilt_file, f"DELETE FROM {table} WHERE {first_row(table)}")
    (difference,) = found_in(table, life)
    assert (difference.table, difference.field, difference.rebuilt) == (table, "row", "(absent)")


def test_each_table_has_a_change_above_or_a_reason():
    assert {table for table, _, _ in CHANGES} == KEYS.keys()
    assert KEYS.keys() | NOT_COMPARED.keys() == metadata.tables.keys()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("lanes", "version = version + 7, owner = 'another'"),
        ("dead_letters", "status = 'accepted'"),
        ("windows", "sum = sum * (1 + 1e-12)"),
    ],
)
def test_owners_marks_of_people_and_last_bits_are_no_differences(life, table, change):
    execute(life.data_dir / "summaries.db", f"UPDATE {table} SET {change}")
    assert compared(life, tolerance=1e-9).equal


def test_the_last_bits_are_differences_when_exactly_compared(life):
    execute(life.data_dir / "summaries.db", "UPDATE windows SET sum = sum * (1 + 1e-12)")
    assert set(compared(life, tolerance=0.0).found) == {"windows"}


def test_a_state_in_other_bytes_that_its_model_reads_alike_is_no_difference(life):
    # a decision's day as a 64-bit integer instead of a 32-bit one
    live = life.data_dir / "summaries.db"
    states = execute(live, "SELECT key, body FROM states WHERE agent = 'telemetry'")
    key, body = next((key, bytes(body)) for key, body in states if bytes(body).startswith(b"\x92\x95\xce"))
    longer = body.replace(b"\xce", b"\xcf\x00\x00\x00\x00", 1)
    execute(live, "UPDATE states SET body = ? WHERE key = ?", longer, key)
    assert compared(life).equal


@pytest.mark.parametrize(("table", "kept_from"), KEPT_FROM.items())
def test_rows_that_may_be_deleted_are_not_compared_and_their_neighbours_are(life, table, kept_from):
    live = life.data_dir / "summaries.db"
    ((start,),) = execute(live, f"SELECT max(start) FROM {table}")
    for path in (live, life.data_dir / "summaries_rebuild.db"):
        execute(path, f"UPDATE kept SET {kept_from} = {start}")
    execute(live, f"DELETE FROM {table} WHERE start < {start}")
    assert compared(life).equal
    execute(live, f"DELETE FROM {table}")
    assert compared(life).found[table] >= 1


def test_only_the_first_differences_of_a_table_are_kept_and_all_are_counted(life):
    execute(life.data_dir / "summaries.db", "UPDATE windows SET late = late + 1")
    report = compared(life, first=3)
    assert len(report.differences) == 3
    assert report.found["windows"] == report.rows["windows"] > 3


def test_a_missing_record_inside_a_step_shows_in_the_figures_and_is_named(tmp_path):
    settings = settings_in(tmp_path)
    world = World(settings)
    decision = b'{"type":"decision","agent":"bot","decision_id":"%d","decision_type":"t","decision":"d","at":1}'
    records = [world.append("ai-decisions", decision % number, key=b"bot", skip=0) for number in range(5)]
    asyncio.run(world.drain())
    world.close()
    execute(tmp_path / "raw.db", 'DELETE FROM raw_events WHERE "offset" = 2')
    rebuilt(settings)
    report = compared(settings)
    assert {"lanes", "ai_decisions", "states", "raw log"} <= report.found.keys()
    (counted,) = [each for each in report.differences if each.field == "counts.ai-decisions.in"]
    assert (counted.live, counted.rebuilt) == ("5", "4")
    (hole,) = [each for each in report.differences if each.table == "raw log"]
    assert f"lane telemetry/{records[0].partition}, step 1" in hole.key
    assert (hole.field, hole.live) == ("offsets 2 to 2", "not in the raw log")


def test_a_raw_record_that_no_step_applied_is_found(tmp_path):
    settings = settings_in(tmp_path)
    world = World(settings)
    sample = encoded(Sample(service="checkout", metric="latency", ts=world.clock, value=1.0))
    world.append("metrics", sample, key=b"checkout", skip=0)
    asyncio.run(world.drain())
    record = world.append("metrics", sample, key=b"checkout", skip=1)
    asyncio.run(world.drain())
    rebuilt(settings)
    assert compared(settings).equal
    lost = RawRecord("metrics", record.partition, 1, record.timestamp, b"checkout", sample)
    world.stores.raw_log.append(RawBatch("cluster-1", "metrics", record.partition, [lost], [], packed=True))
    world.close()
    (difference,) = compared(settings).differences
    assert (difference.table, difference.field) == ("raw log", "offsets 1 to 1")
    assert difference.live == "in the raw log, applied by no step"


def test_without_a_rebuilt_database_there_is_nothing_to_compare(life):
    places.drop(places.live_place(life), places.rebuilt_place(life))
    with pytest.raises(Exception, match="there is no rebuilt database"):
        compared(life)


def test_the_path_to_a_difference_leads_into_lists_and_packed_bytes():
    inner = b"\x82\xa1a\x01\xa1b\x92\x01\x02", b"\x82\xa1a\x01\xa1b\x92\x01\x03"
    assert list(walk({"x": [1, inner[0]]}, {"x": [1, inner[1]]})) == [(".x[1].b[1]", 2, 3)]
    assert list(walk({"a": 1}, {"a": 1.0})) == [(".a", 1, 1.0)]
    assert list(walk([1], [1, 2])) == [("", [1], [1, 2])]
