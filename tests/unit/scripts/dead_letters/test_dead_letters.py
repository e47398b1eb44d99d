"""`scripts/dead_letters.py` on SQLite: what it lists, shows and accepts, its exit codes, and hostile bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.letters import HOSTILE, LANE, LONG, letter, status

ROOT = Path(__file__).resolve().parents[4]


# ------------------------------------------------------------------------------------------------------------- list


def test_letters_are_listed_oldest_first_and_only_open_ones(put, run, stores):
    put(letter(2), letter(1, reason="not_json"), letter(3))
    stores.summaries.mark_dead_letters([f"{3:032x}"], "accepted")
    code, out, _ = run("list")
    assert code == 0
    assert [line.split("│")[1].strip() for line in out.splitlines() if "shop" in line] == [f"{1:032x}", f"{2:032x}"]
    assert "metrics/3/2" in out
    assert "2026-09-21T14:13:22.000Z" in out
    assert f"{3:032x}" in run("list", "--status", "all")[1]
    assert f"{2:032x}" not in run("list", "--status", "accepted")[1]


def test_filters_reach_letters_behind_many_others(put, run, monkeypatch):
    monkeypatch.setattr("scripts.letters.listing.PAGE", 2)
    put(*[letter(number) for number in range(9)], letter(9, reason="not_json"), letter(10, topic="deployments"))
    assert [row["offset"] for row in json.loads(run("list", "--reason", "not_json", "--json")[1])] == [9]
    assert [row["offset"] for row in json.loads(run("list", "--topic", "deployments", "--json")[1])] == [10]
    assert json.loads(run("list", "--topic", "deployments", "--reason", "not_json", "--json")[1]) == []


def test_the_limit_is_kept_and_told(put, run):
    put(*[letter(number) for number in range(4)])
    code, out, err = run("list", "--limit", "3", "--json")
    assert (code, len(json.loads(out))) == (0, 3)
    assert "more than 3" in err
    code, out, err = run("list", "--limit", "4", "--json")
    assert (len(json.loads(out)), err) == (4, "")


def test_no_letters_is_no_failure(run, stores):
    code, out, _ = run("list")
    assert (code, out.strip()) == (0, "no such dead letters")
    assert json.loads(run("list", "--json")[1]) == []


# --------------------------------------------------------------------------------------------- hostile bytes


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def test_nothing_that_a_sender_wrote_reaches_the_terminal_raw(put, run):
    put(
        letter(1, key=HOSTILE.encode(), detail=HOSTILE, body=HOSTILE.encode() * 3),
        letter(2, key=b"\xff\xfe", detail="[bold]x[/bold]", body=b'{"a": "' + HOSTILE.encode() + b'"}' + b" " * 200),
        letter(3, detail=f"Traceback\n  {HOSTILE}\n", body=bytes(range(256))),
    )
    for arguments in (("list",), ("list", "--json"), *(("show", f"{number:032x}") for number in (1, 2, 3))):
        _, out, err = run(*arguments)
        assert is_harmless(out), out
        assert is_harmless(err)
    for action in (("replay",), ("accept", "--letters")):
        _, out, err = run(*action, f"{1:032x}", HOSTILE)
        assert is_harmless(out)
        assert is_harmless(err)


def test_markup_is_shown_as_it_is(put, run):
    put(letter(1, detail="[bold]x[/bold] [/nonsense]"))
    assert "[bold]x[/bold] [/nonsense]" in run("list")[1]


# ------------------------------------------------------------------------------------------------------------- show


def test_show_says_everything_about_a_letter(put, run):
    put(letter(7, position=4, detail="first\nsecond", body=b'{"service": "shop"}'))
    code, out, _ = run("show", f"{7:032x}")
    assert code == 0
    for part in (
        "status:     open",
        "reason:     missing_field (a required field is missing)",
        "detail:     first\n            second\n",
        "arrived:    2026-09-21T14:13:27.000Z",
        "place:      metrics/3/7#4",
        "cluster:    cluster",
        "key:        shop",
        'body, 19 bytes:\n{"service": "shop"}\n',
    ):
        assert part in out


def test_a_letter_that_does_not_exist_is_exit_code_1(run, stores):
    code, out, err = run("show", "nothing")
    assert (code, out) == (1, "")
    assert "there is no dead letter 'nothing'" in err


def test_a_body_that_was_cut_is_shown_whole_from_the_raw_log(put, run, keep):
    put(letter(1, body=LONG), letter(2, body=LONG))
    keep(1, LONG)
    code, out, _ = run("show", f"{1:032x}")
    assert (code, "body, 65536 bytes, 31 more are in the raw log (--full):" in out, 'xxx"}' in out) == (0, True, False)
    code, out, _ = run("show", f"{1:032x}", "--full")
    assert (code, f"body, {len(LONG)} bytes:" in out, 'xxx"}' in out) == (0, True, True)
    code, out, err = run("show", f"{2:032x}", "--full")
    assert (code, "31 more are in the raw log" in out) == (1, True)
    assert "the raw log has no record at metrics/3/2" in err


# ----------------------------------------------------------------------------------------------------------- accept


def test_a_stopped_lane_is_released_only_with_yes(put, run, stores):
    put(stopped="1000 invalid events in a row (limit 1000)", flood_run=1000)
    code, out, _ = run("accept", "metrics/3")
    assert code == 0
    assert "lane metrics/3 is stopped: 1000 invalid events in a row" in out
    assert stores.summaries.read_lane(LANE).stopped
    code, out, _ = run("accept", "metrics/3", "--yes")
    assert code == 0
    assert "is released" in out
    row = stores.summaries.read_lane(LANE)
    assert (row.stopped, row.flood_run) == ("", 0)
    assert run("accept", "metrics/3", "--yes")[0] == 1


def test_a_lane_that_does_not_exist_is_exit_code_1_with_those_that_do(put, run):
    put()
    code, _, err = run("accept", "metrics/7", "--yes")
    assert code == 1
    assert "there is no lane metrics/7; there are: metrics/3" in err


@pytest.mark.parametrize("lane", ["metrics", "metrics/", "/1", "metrics/x", "metrics/-1", "metrics/²"])
def test_what_is_no_lane_is_wrong_usage(run, stores, lane, capsys):
    with pytest.raises(SystemExit) as ended:
        run("accept", lane)
    assert ended.value.code == 2
    assert "AGENT/PARTITION" in capsys.readouterr().err


def test_accept_needs_a_lane_or_letters(run, stores):
    for arguments in ([], ["metrics/3", "--letters", "x"]):
        with pytest.raises(SystemExit) as ended:
            run("accept", *arguments)
        assert ended.value.code == 2


def test_letters_are_written_off_only_with_yes(put, run, stores):
    put(letter(1), letter(2))
    code, out, _ = run("accept", "--letters", f"{1:032x}")
    assert (code, status(stores.summaries, 1)) == (0, "open")
    assert "dry run: 1 of 1 would be accepted" in out
    code, out, err = run("accept", "--letters", f"{1:032x}", "nothing", "--yes")
    assert code == 1
    assert "1 of 2 are now accepted" in out
    assert "nothing: there is no such letter" in err
    assert (status(stores.summaries, 1), status(stores.summaries, 2)) == ("accepted", "open")


# ------------------------------------------------------------------------------------------------------- exit codes


def test_settings_and_schemas_that_cannot_be_used_are_exit_code_78(run, tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", f"sqlite:///{tmp_path}/summaries.db")
    code, _, err = run("list")
    assert (code, "run the migration" in err) == (78, True)
    monkeypatch.setenv("VIGIA_SUMMARYS_URL", "x")
    code, _, err = run("list")
    assert code == 78
    assert "did you mean VIGIA_SUMMARIES_URL?" in err


def test_a_database_that_is_away_is_exit_code_75(run, tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", "mysql+pymysql://vigia:hunter2@127.0.0.1:1/vigia")
    code, out, err = run("list")
    assert code == 75
    assert "127.0.0.1" in err
    assert "hunter2" not in out + err


@pytest.mark.parametrize("way", [["-m", "scripts.dead_letters"], ["scripts/dead_letters.py"]], ids=["module", "file"])
def test_it_runs_as_a_module_and_as_a_file(put, way):
    put(letter(1))
    done = subprocess.run([sys.executable, *way, "list", "--json"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [row["letter_id"] for row in json.loads(done.stdout)] == [f"{1:032x}"]
