"""What screens read, on every summaries' database."""

from tests.contract.summaries_rows import (
    LANE,
    NOON,
    OTHER,
    commit,
    deployment,
    letter,
    output,
    problem,
    proposal,
    series,
    take,
    window,
)
from vigia.events.summaries import HourSummary, WindowSummary
from vigia.stores.queries.dead_letter_counts import DeadLetterCount, dead_letter_counts
from vigia.stores.queries.lane_positions import LanePosition, lane_positions
from vigia.stores.queries.open_problems import open_problems
from vigia.stores.queries.open_proposals import open_proposals
from vigia.stores.queries.outbox_left import outbox_left
from vigia.stores.queries.proposals_of import proposals_of
from vigia.stores.queries.recent_deployments import recent_deployments
from vigia.stores.queries.run_figures import run_figures
from vigia.stores.queries.window_rows import latest_starts
from vigia.stores.queries.windows_of import windows_of


def test_an_empty_database_has_empty_answers(summaries):
    assert run_figures(summaries) == {}
    for query in (lane_positions, open_problems, open_proposals, recent_deployments, dead_letter_counts):
        assert query(summaries) == []
    assert windows_of(summaries, "checkout", "production", "error_rate", 0, NOON).windows == []


def test_figures_are_summed_over_lanes(summaries):
    commit(summaries, take(summaries), lane={"counts": {"metrics.in": 5, "windows_closed": 2}})
    commit(summaries, take(summaries, OTHER), lane={"counts": {"metrics.in": 7}})
    assert run_figures(summaries) == {"metrics.in": 12, "windows_closed": 2}


def test_outputs_that_wait_are_counted_by_lane(summaries):
    assert outbox_left(summaries) == {}
    commit(summaries, take(summaries), outbox=[output(0), output(1)])
    commit(summaries, take(summaries, OTHER), outbox=[output(0)])
    summaries.delete_outbox(LANE, [0])
    assert outbox_left(summaries) == {LANE: 1, OTHER: 1}


def test_lane_positions_say_where_each_lane_is(summaries):
    take(summaries, OTHER, owner="worker-2")
    commit(summaries, take(summaries), lane={"offsets": {"metrics": 9}, "clock": NOON, "stopped": "flood"})
    assert lane_positions(summaries) == [
        LanePosition("metrics", 0, {"metrics": 9}, NOON, 1, "flood", "worker-1"),
        LanePosition("metrics", 1, {}, 0.0, 0, "", "worker-2"),
    ]


def test_recent_deployments_are_ordered_by_their_latest_stage(summaries):
    rows = [
        deployment("planned", planned_at=NOON + 50),
        deployment("started", planned_at=NOON + 90, started_at=NOON + 40),
        deployment("finished", planned_at=None, started_at=NOON, finished_at=NOON + 60),
        deployment("unknown", planned_at=None),
    ]
    commit(summaries, take(summaries), summaries=rows)
    found = recent_deployments(summaries)
    assert [row.external_id for row in found] == ["finished", "planned", "started", "unknown"]
    assert found[0] == rows[2]
    assert recent_deployments(summaries, limit=2) == found[:2]


def test_a_deployment_that_reaches_its_next_stage_moves_up(summaries):
    row = commit(summaries, take(summaries), summaries=[deployment("a"), deployment("b", planned_at=NOON + 1)])
    assert [one.external_id for one in recent_deployments(summaries)] == ["b", "a"]
    commit(summaries, row, summaries=[deployment("a", started_at=NOON + 2)])
    assert [one.external_id for one in recent_deployments(summaries)] == ["a", "b"]


def test_only_what_is_open_waits_newest_first(summaries):
    problems = [
        problem("a", opened_at=NOON),
        problem("b", opened_at=NOON + 1),
        problem("c", status="resolved"),
        problem("d", status="stale"),
    ]
    proposals = [proposal("a", at=NOON), proposal("b", at=NOON + 1), proposal("c", status="denied")]
    commit(summaries, take(summaries), summaries=[*problems, *proposals])
    assert open_problems(summaries) == [problems[1], problems[0]]
    assert open_problems(summaries, limit=1) == [problems[1]]
    assert open_proposals(summaries) == [proposals[1], proposals[0]]


def test_proposals_are_found_by_their_problems_whatever_became_of_them(summaries):
    proposals = [
        proposal("a", deployment_id="d", after="12 min after checkout 7 was deployed"),
        proposal("b", status="withdrawn"),
        proposal("c"),
    ]
    commit(summaries, take(summaries), summaries=proposals)
    asked = [proposals[0].problem_id, proposals[1].problem_id, "another"]
    assert proposals_of(summaries, asked) == {each.problem_id: each for each in proposals[:2]}


def test_dead_letters_are_counted_by_topic_and_reason(summaries):
    letters = [
        letter("1"),
        letter("2"),
        letter("3", reason="empty"),
        letter("4", topic="feedback"),
        letter("5", status="accepted"),
    ]
    commit(summaries, take(summaries), dead_letters=letters)
    assert dead_letter_counts(summaries) == [
        DeadLetterCount("feedback", "not_json", 1),
        DeadLetterCount("metrics", "empty", 1),
        DeadLetterCount("metrics", "not_json", 2),
    ]
    assert dead_letter_counts(summaries, "accepted") == [DeadLetterCount("metrics", "not_json", 1)]


def test_windows_of_a_metric_are_those_that_start_in_the_range(summaries):
    names = [
        series("a"),
        series("b", labels="host=b"),
        series("c", metric="latency"),
        series("d", service="Checkout"),
        series("e", environment="test"),
    ]
    windows = [window(name, start) for name in "abcde" for start in (0, 60, 120, 180)]
    commit(summaries, take(summaries, LANE), summaries=[*names, *windows])
    found = windows_of(summaries, "checkout", "production", "error_rate", 59.5, 180)
    expected = sorted(
        (row for row in windows[:8] if row.start in (60, 120)), key=lambda row: (row.series_id, row.start)
    )
    assert found.windows == expected
    assert found.series == sorted(names[:2], key=lambda row: row.series_id)
    assert not found.cut
    fewer = windows_of(summaries, "checkout", "production", "error_rate", 0, 180.5, limit=3)
    assert (len(fewer.windows), fewer.cut) == (3, True)


def test_the_latest_window_of_each_series_is_found_and_of_others_nothing(summaries):
    names = [series("a"), series("b", labels="host=b"), series("c", metric="latency")]
    windows = [window(name, start) for name in "ab" for start in (0, 60, 120)]
    commit(summaries, take(summaries, LANE), summaries=[*names, *windows, window("a", 180)])
    asked = [each.series_id for each in [*names, series("unknown")]]
    assert latest_starts(summaries, WindowSummary, asked) == {names[0].series_id: 180, names[1].series_id: 120}
    assert latest_starts(summaries, WindowSummary, asked[1:2]) == {names[1].series_id: 120}
    assert latest_starts(summaries, HourSummary, asked) == {}
    assert latest_starts(summaries, WindowSummary, []) == {}
