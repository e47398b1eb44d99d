"""The simulation of healthy and broken services, small: what is there is found, and nothing else."""

import json
from dataclasses import replace

import pytest

from scripts.ml import simulate_problems
from scripts.ml.problems.finding import compare, problems_of
from scripts.ml.problems.healthy import healthy
from scripts.ml.problems.injected import KINDS, inject
from vigia.models.detectors.config import parse_detectors

DAYS = 10
FAST = tuple(replace(kind, sizes=(size,)) for kind, size in zip(KINDS, (8, 12, 3, 4), strict=True))
RULES = ("request_rate", "error_rate", "db_query_p95", "disk_used", "memory_used")


def services(seed=5):
    made = [healthy(number, DAYS, seed) for number in range(2)]
    for service in made:
        # the general detector takes half of the time
        service.values = {metric: service.values[metric] for metric in RULES}
    return made


@pytest.fixture(scope="module")
def told():
    made = services()
    injected = inject(made, 5, FAST)
    config = parse_detectors({"unusual_values": {"enabled": False}}, "detectors.toml")
    problems = [problem for service in made for problem in problems_of(service, config)]
    return problems, injected, [service.name for service in made]


def test_of_two_problems_of_each_kind_seven_of_eight_are_found_and_nothing_is_invented(told):
    result = compare(*told)
    assert len(result.found) == 8
    assert sum(after is not None for _, after in result.found) >= 7
    assert result.false == []


def test_what_has_nothing_to_do_with_a_problem_is_false(told):
    problems, _, names = told
    result = compare(problems, [], names)
    assert len(result.false) >= 7
    assert len({problem.problem_id for problem in result.false}) == len(result.false)


def test_the_same_seed_makes_the_same_services():
    one, other = healthy(3, 2, 1), healthy(3, 2, 1)
    assert all((one.values[name] == other.values[name]).sum() > 2_800 for name in one.values)
    assert one.restarts == other.restarts
    assert (healthy(4, 2, 1).values["latency"] != one.values["latency"]).any()


def test_the_report_says_what_was_found_and_what_was_invented(told, monkeypatch, tmp_path, capsys):
    problems, injected, _ = told
    monkeypatch.setattr(simulate_problems, "healthy", lambda number, days, seed: services(seed)[number])
    monkeypatch.setattr(simulate_problems, "inject", lambda made, seed: injected)
    runs = iter([problems[:1], problems])
    monkeypatch.setattr(simulate_problems, "_all", lambda made, config, jobs: next(runs))
    out = tmp_path / "out.json"
    assert simulate_problems.main(["--services", "2", "--days", "12", "--seed", "5", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert len(report["problems"]) == 8
    assert len(report["false_in_healthy"]) == 1
    assert "0.08 false problems a day" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["[high_error_rate]\nopens_at = 1\n", "[high"])
def test_limits_that_cannot_be_used_are_named(tmp_path, capsys, content):
    path = tmp_path / "limits.toml"
    path.write_text(content)
    assert simulate_problems.main(["--detectors", str(path)]) == 2
    assert "limits.toml" in capsys.readouterr().err


def test_limits_that_are_not_there_are_named(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        simulate_problems.main(["--detectors", str(tmp_path / "limits.toml")])
    assert "limits.toml" in capsys.readouterr().err
