"""What is measured of the raw log: every record is written, who fails is told of, and the table's arithmetic."""

from typing import Any

import pytest

from scripts.benchmarking.raw_log import writers
from scripts.benchmarking.raw_log.measure import Way, _run
from scripts.benchmarking.raw_log.writers import WriterFailedError
from scripts.benchmarking.report import write_page
from vigia.stores.raw import open_raw_log


@pytest.mark.parametrize(("packed", "topic"), [(True, "metrics"), (False, "feedback")])
def test_the_raw_log_is_given_every_record_once(tmp_path, packed, topic):
    log = open_raw_log(f"sqlite:///{tmp_path / 'raw.db'}")
    log.migrate()
    written = writers.raw_log(log, 12_000, packed=packed)
    assert written.rows == 12_000
    assert [record.offset for record in log.read("bench", topic, 0, 0)] == list(range(12_000))
    log.close()


def test_a_writer_that_fails_leaves_its_reason_and_no_figure():
    def fail(rows):
        raise WriterFailedError("no such program")

    row: dict[str, Any] = {"what": "one", "runs": [], "failed": None}
    _run(Way("one", 1, fail), row, 10, print)
    assert (row["runs"], row["failed"]) == ([], "no such program")


def test_a_program_that_is_missing_or_fails_is_an_error_with_what_it_said():
    with pytest.raises(WriterFailedError, match="nowhere"):
        writers._said(["/nowhere/at-all"])
    with pytest.raises(WriterFailedError, match="ended with 3: no node"):
        writers._said(["/bin/sh", "-c", "echo no node >&2; exit 3"])


def test_the_table_has_medians_by_way_of_writing(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.benchmarking.report.PAGE", tmp_path / "page.md")
    monkeypatch.setattr("scripts.benchmarking.report.FIGURES", tmp_path / "figures.json")
    machine = {"day": "2026-01-01", "cores": 2, "memory_gib": 8, "python": "3.11", "load_before": 0.1}
    runs = [{"rows": 1_000, "seconds": seconds, "cpu_seconds": 0.5} for seconds in (1, 2, 5)]
    rows = [{"what": "a", "runs": runs, "failed": None}, {"what": "b", "runs": [], "failed": "cargo is not installed"}]
    write_page({"raw-log": {"machine": machine, "rows": rows}})
    page = (tmp_path / "page.md").read_text()
    assert "| a | 500 | 200 - 1,000 | 500.0 |" in page
    assert "| b | not run | cargo is not installed |  |" in page
