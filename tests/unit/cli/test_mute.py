"""`vigia mute`: the events that it makes, what it refuses, and the list."""

import argparse
import io

import pytest
from rich.console import Console

from vigia.cli.mute.arguments import add
from vigia.cli.mute.command import Answer, built, mute, show, unfit
from vigia.cli.problems import command as problems
from vigia.events.invalid import InvalidEvent
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.summaries import MuteSummary

NOW = 1_700_000_000.0
WHO = ["--by", "maria", "--reason", "the database is moved"]


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return parser.parse_args(["mute", *arguments])


def test_a_mute_holds_from_now_for_so_long_and_gets_a_name():
    event = built(parsed("shop", "--for", "2h", *WHO, "--label", "zone=a*", "--detector", "memory_leak"), NOW)
    assert isinstance(event, Muted)
    assert (event.service, event.since, event.until, event.by) == ("shop", NOW, NOW + 7_200, "maria")
    assert (event.labels, event.detectors, event.environment) == ({"zone": "a*"}, ("memory_leak",), "*")
    assert event.mute_id != built(parsed("shop", "--for", "2h", *WHO), NOW).mute_id


def test_it_may_begin_later():
    event = built(parsed("shop", "--for", "1d", "--from", "2026-01-31T22:00", *WHO), NOW)
    assert isinstance(event, Muted)
    assert (event.since, event.until) == (1_769_896_800.0, 1_769_896_800.0 + 86_400)


def test_a_lift_names_its_mute():
    assert built(parsed("shop", "--lift", "m1", *WHO), NOW) == MuteLifted(
        mute_id="m1", service="shop", at=NOW, by="maria", reason="the database is moved"
    )


@pytest.mark.parametrize(
    "arguments",
    [("shop", "--for", "2h"), ("shop", "--for", "2h", "--by", "maria"), ("--for", "2h", *WHO), ("shop", "--lift", "m")],
)
def test_without_service_author_or_reason_nothing_is_sent(arguments):
    with pytest.raises(InvalidEvent):
        built(parsed(*arguments), NOW)


@pytest.mark.parametrize("length", ["soon", "0h", "2026-01-31", "", "h", "9999999d"])
def test_a_length_of_time_must_be_one(length, capsys):
    with pytest.raises(SystemExit):
        parsed("shop", "--for", length, *WHO)
    assert "no length of time" in capsys.readouterr().err


def test_a_mute_that_would_be_over_is_not_sent():
    with pytest.raises(InvalidEvent, match="would have ended at"):
        built(parsed("shop", "--for", "1h", "--from", "3d", *WHO), NOW)


OF_A_NEW_ONE = [
    ("--from", "1h"),
    ("--environment", "prod"),
    ("--environment", "*"),
    ("--metric", "cpu"),
    ("--label", "zone=a"),
    ("--detector", "memory_leak"),
    ("--id", "mine"),
]


@pytest.mark.parametrize("option", [*OF_A_NEW_ONE, ("--by", "maria"), ("--reason", "it is moved")])
def test_without_a_length_nothing_is_sent_and_that_is_said(option, capsys):
    assert mute(parsed("shop", *option)) == 2
    told = capsys.readouterr()
    assert f"nothing was sent: {option[0]} is part of a mute: say for how long with --for" in told.err
    assert told.out == ""


@pytest.mark.parametrize("option", OF_A_NEW_ONE)
def test_what_a_lift_does_not_look_at_is_not_passed_over(option, capsys):
    assert mute(parsed("shop", "--lift", "m1", *option, *WHO)) == 2
    assert f"nothing was sent: {option[0]} is part of a new mute; --lift lifts the whole" in capsys.readouterr().err


def test_a_mute_and_its_lift_look_at_all_that_is_left():
    assert unfit(parsed("shop", "--for", "1h", *WHO, *(word for option in OF_A_NEW_ONE for word in option))) == ""
    assert unfit(parsed("shop", "--lift", "m1", *WHO, "--json")) == ""
    assert unfit(parsed("shop", "--json")) == ""


ROW = MuteSummary(
    service="shop",
    mute_id="m1",
    environment="*",
    metric="db_*",
    labels="",
    detectors="",
    since=NOW,
    until=NOW + 3_600,
    by="maria",
    reason="moved\n\x1b[2J[red]x",
    lifted_by="",
)


def test_the_list_says_until_when_by_whom_and_why_and_nothing_hostile():
    console = Console(width=200, record=True, file=io.StringIO())
    show(Answer(mutes=[ROW], cut=False), console)
    text = console.export_text()
    assert "2023-11-14 23:13" in text
    assert "maria" in text
    assert "db_*" in text
    assert "\x1b" not in text
    assert "[red]x" in text


def test_problems_are_told_with_what_is_muted():
    console = Console(width=200, record=True, file=io.StringIO())
    answer = problems.Answer(since=None, until=None, problems=[], part_of={}, muted=[ROW], cut=False)
    problems.show(answer, None, console, NOW)
    text = console.export_text()
    assert "muted until 2023-11-14 23:13 UTC: db_* of shop, by maria: moved" in text
    assert "\x1b" not in text
