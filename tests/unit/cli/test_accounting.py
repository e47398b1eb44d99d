"""A run's figures: its own, complete, and read only once everything has come to rest."""

import pytest

from vigia.cli.run.accounting import INPUT_TOPICS, Drain, Reading, lags, report, since, topic_counts, unaccounted


def counts(topic, **figures):
    return {f"{topic}.{name}": number for name, number in figures.items()}


def test_a_runs_figures_are_what_was_added_since_its_start():
    assert since({"a": 5, "b": 2}, {"a": 3}) == {"a": 2, "b": 2}
    assert since({}, {"a": 3}) == {"a": -3}


def test_lag_adds_up_over_partitions_and_what_was_never_read_is_all_behind():
    positions = {("metrics", 0): 7, ("metrics", 1): 12}
    ends = {("metrics", 0): 10, ("metrics", 1): 10, ("metrics", 2): 4, ("feedback", 0): 0}
    assert lags(positions, ends) == {"metrics": 7, "feedback": 0}


def test_topics_that_an_agent_reads_are_reported_and_no_others():
    assert set(INPUT_TOPICS) == {
        "deployments",
        "feedback",
        "metrics",
        "mutes",
        "ai-decisions",
        "problems",
        "problem-links",
        "deployed",
        "verdicts",
        "execution-results",
    }
    assert set(topic_counts({})) == set(INPUT_TOPICS)


class TestUnaccounted:
    def test_everything_that_was_sent_came_in_and_went_somewhere(self):
        figures = counts("metrics", **{"in": 10, "applied": 6, "duplicate": 1, "invalid": 2, "moved": 1})
        assert unaccounted(figures, {"metrics": 9}) == []

    def test_an_event_that_never_came_in_is_missing(self):
        (said,) = unaccounted(counts("metrics", **{"in": 9, "applied": 9}), {"metrics": 10})
        assert said == "metrics: 10 were sent, but 9 came in (1 missing)"

    def test_an_event_that_was_moved_is_counted_once(self):
        figures = counts("metrics", **{"in": 11, "applied": 10, "moved": 1})
        assert unaccounted(figures, {"metrics": 10}) == []
        assert unaccounted(figures, {"metrics": 11}) != []

    def test_an_event_that_came_in_and_went_nowhere_is_missing(self):
        (said,) = unaccounted(counts("feedback", **{"in": 10, "applied": 9}), {"feedback": 10})
        assert "applied + duplicate + invalid + moved are 9" in said

    def test_figures_of_topics_that_nobody_fed_must_add_up_too(self):
        assert len(unaccounted(counts("problems", **{"in": 2, "applied": 1}), {})) == 1

    def test_what_was_sent_to_a_topic_without_a_reader_is_missing(self):
        assert unaccounted({}, {"risk": 3}) == ["risk: 3 were sent, but no agent reads it"]

    def test_more_than_was_sent_is_as_wrong_as_less(self):
        assert len(unaccounted(counts("metrics", **{"in": 11, "applied": 11}), {"metrics": 10})) == 1


def test_the_report_names_every_figure_of_the_issue():
    figures = {
        **counts("deployments", **{"in": 2, "applied": 2}),
        "windows_closed": 3,
        "deployments_scored": 1,
        "outcomes_learned": 4,
        "problems_opened": 5,
        "proposals_made": 6,
    }
    told = report(figures, {"metrics": 1, "deployments": 2}, 1.234, accounted=True)
    assert told["topics"]["deployments"] == {"in": 2, "applied": 2, "duplicate": 0, "invalid": 0, "moved": 0}
    del told["topics"]
    assert told == {
        "windows": 3,
        "deployments_scored": 1,
        "outcomes_learned": 4,
        "problems": 5,
        "proposals": 6,
        "seconds": 1.23,
        "sent": {"deployments": 2, "metrics": 1},
        "accounted": True,
    }


ENDS = {("metrics", 0): 10}
HERE = {"positions": {("metrics", 0): 10}, "figures": {"metrics.in": 10}}


class TestDrain:
    """One step of the clock a look; the input is drained after three quiet ones."""

    @pytest.fixture
    def look(self):
        now = 1_000.0

        def clock():
            return now

        drain = Drain(clock, settle=3.0)

        def look(ends, **reading):
            nonlocal now
            now += 1.0
            return drain.observe(Reading(**reading), lambda: ends)

        return look

    def test_it_is_drained_once_nothing_has_changed_for_the_settling_time(self, look):
        assert [look(ENDS, **HERE) for _ in range(4)] == [False, False, False, True]

    def test_a_record_that_is_not_applied_holds_it_open(self, look):
        behind = {"positions": {("metrics", 0): 9}, "figures": {"metrics.in": 9}}
        assert not any(look(ENDS, **behind) for _ in range(10))

    def test_a_lane_that_does_not_exist_yet_holds_it_open(self, look):
        assert not any(look(ENDS) for _ in range(10))

    def test_an_output_that_waits_holds_it_open(self, look):
        assert not any(look(ENDS, outbox=1, **HERE) for _ in range(10))

    def test_a_timer_that_is_due_soon_holds_it_open_and_a_distant_one_does_not(self, look):
        assert not any(look(ENDS, next_due=1_060.0, **HERE) for _ in range(10))
        assert look(ENDS, next_due=5_000.0, **HERE)

    def test_a_timer_that_is_overdue_holds_it_open(self, look):
        assert not any(look(ENDS, next_due=500.0, **HERE) for _ in range(10))

    def test_a_figure_that_changes_starts_the_settling_time_again(self, look):
        for _ in range(3):
            look(ENDS, **HERE)
        changed = {**HERE, "figures": {"metrics.in": 10, "windows_closed": 1}}
        assert [look(ENDS, **changed) for _ in range(4)] == [False, False, False, True]

    def test_what_a_change_has_written_must_be_applied_too(self, look):
        for _ in range(3):
            look(ENDS, **HERE)
        further = {**ENDS, ("problems", 0): 1}
        opened = {**HERE, "figures": {"metrics.in": 10, "problems_opened": 1}}
        assert not any(look(further, **opened) for _ in range(10))
        read = {**opened, "positions": {("metrics", 0): 10, ("problems", 0): 1}}
        assert look(further, **read)

    def test_ticks_go_on_for_ever_and_hold_nothing_open(self, look):
        seen = []
        for number in range(4):
            ends = {("metrics", 0): 10 + number}
            figures = {"metrics.in": 10, "metrics.ticks": number}
            seen.append(look(ends, positions={("metrics", 0): 10}, figures=figures))
        assert seen == [False, False, False, True]
