"""What the measurements are made of: the input, how progress is followed, and the arithmetic of the report."""

import math
import sys

import pytest

from scripts.benchmarking.aims import aims
from scripts.benchmarking.contest.contenders import Contender
from scripts.benchmarking.contest.contest import rate
from scripts.benchmarking.contest.job import PARTITIONS, Input, closing_services
from scripts.benchmarking.contest.runner import RunFailedError, run
from scripts.benchmarking.pictures import draw_contest
from scripts.benchmarking.report import write_page
from vigia.streaming.partitions import partition_of

SAYS = "import time\nfor at, count in {steps}: print('PROGRESS', at, count, flush=True)\ntime.sleep(30)"


def row(contender, *rates, points=1, failed=None):
    runs = [{"samples": 1_000, "seconds": 1_000 / each, "cpu_seconds": 2.0, "peak_memory": 2**20} for each in rates]
    return {"contender": contender, "what": contender, "points": points, "runs": runs, "failed": failed}


def ran(steps, samples=100, processes=1, limit=20.0):
    contender = Contender("one", "one", list, processes=processes, limit=limit)
    given = Input("", "", samples, 1, 0)
    return run(contender, [sys.executable, "-c", SAYS.format(steps=steps)], given, {})


def test_the_rate_is_the_median_of_the_rounds():
    assert rate(row("a", 100, 300, 200)) == pytest.approx(200)
    assert math.isnan(rate(row("a")))


def test_aims_are_ratios_of_one_run_and_say_when_they_are_missed():
    rows = [
        row("floor", 300),
        row("vigia-forgetting", 240),
        row("kafka-streams-memory", 250),
        row("bytewax", 80),
        row("quix", 90),
        row("vigia", 60),
        row("vigia", 220_000, points=100),
    ]
    assert [round(aim.figure, 2) for aim in aims(rows)] == [0.8, 0.96, 2.67, 0.25, 220_000]
    assert [aim.verdict for aim in aims(rows)] == ["met", "not met", "met", "not met", "met"]


def test_what_was_not_run_is_not_called_missed():
    assert {aim.verdict for aim in aims([row("floor", 300), row("vigia-forgetting", failed="no broker")])} == {
        "not measured"
    }


def test_a_run_is_timed_from_its_first_samples_to_its_last():
    result = ran([(10.0, 20), (12.0, 60), (14.0, 100)])
    assert (result.samples, result.seconds) == (80, 4.0)
    assert result.samples_per_second == 20.0
    assert result.peak_memory > 2**20


def test_the_samples_of_two_processes_add_up():
    assert ran([(10.0, 10), (12.0, 50)], processes=2).samples == 90


def test_a_contender_that_dies_or_stalls_has_no_figure():
    with pytest.raises(RunFailedError, match="took more than 1 s; 20 of 100"):
        ran([(10.0, 20)], limit=1.0)
    with pytest.raises(RunFailedError, match="all samples came in one step"):
        ran([(10.0, 100)])
    contender = Contender("one", "one", list, limit=20.0)
    fails = "import sys; print('broken', file=sys.stderr); sys.exit(3)"
    with pytest.raises(RunFailedError, match=r"ended with \[3\].*broken"):
        run(contender, [sys.executable, "-c", fails], Input("", "", 9, 1, 0), {})


def test_each_partition_has_a_service_that_closes_its_windows():
    assert sorted(partition_of(name.encode(), PARTITIONS) for name in closing_services()) == list(range(PARTITIONS))


def test_the_page_says_what_did_not_run_and_why(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.benchmarking.report.PAGE", tmp_path / "page.md")
    monkeypatch.setattr("scripts.benchmarking.report.FIGURES", tmp_path / "figures.json")
    machine = {"day": "2026-01-01", "cores": 2, "memory_gib": 8, "python": "3.11", "load_before": 0.1}
    rows = [row("floor", 300), row("quix", failed="mvn is not installed")]
    write_page({"contest": {"machine": machine, "messages": 10, "repeats": 1, "rows": rows}})
    page = (tmp_path / "page.md").read_text()
    assert "| quix | 1 | not run | mvn is not installed |" in page
    assert "| floor | 1 | 300 | 300 - 300 | 2000.0 | 1 MiB |" in page
    assert (tmp_path / "contest-1.svg").exists()


def test_detectors_are_judged_by_what_one_core_does(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.benchmarking.report.PAGE", tmp_path / "page.md")
    monkeypatch.setattr("scripts.benchmarking.report.FIGURES", tmp_path / "figures.json")
    machine = {"day": "2026-01-01", "cores": 2, "memory_gib": 8, "python": "3.11", "load_before": 0.1}
    one = {"what": "the four rules", "each": 10, "windows": 60, "kept": True, "aim": 100_000, "failed": None}
    run = {"samples": 600_000, "seconds": 5.0, "working_cpu_seconds": 6.0, "peak_memory": 2**20}
    rows = [
        {**one, "run": run},
        {**one, "run": {**run, "working_cpu_seconds": 7.5}},
        {**one, "run": None, "failed": "gone; x"},
    ]
    write_page({"detectors": {"machine": machine, "rows": rows}})
    page = (tmp_path / "page.md").read_text()
    assert "| the four rules | 10 | kept | 120,000 | 100,000 | 100,000 met |" in page
    assert "| the four rules | 10 | kept | 120,000 | 80,000 | 100,000 not met |" in page
    assert "| the four rules | 10 | kept | failed: gone |" in page


def test_the_same_figures_give_the_same_picture(tmp_path):
    pictures = [tmp_path / name / "contest.svg" for name in ("one", "two")]
    for picture in pictures:
        draw_contest([row("floor", 300, 310), row("quix", 20)], 1, picture)
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
