"""`scripts/dead_letters.py replay` on SQLite: what is sent again, whole and under which key, and what is marked."""

import pytest

from tests.support.letters import GOOD, LANE, LONG, letter, status
from vigia.stores.base import RawBatch, RawRecord
from vigia.stores.errors import Transient
from vigia.streaming.batches import CUT_HEADER
from vigia.streaming.dead_letters import MAX_DETAIL


def test_replay_is_a_dry_run_unless_told_otherwise(put, run, sent, stores):
    put(letter(1, body=GOOD))
    code, out, _ = run("replay", f"{1:032x}")
    assert code == 0
    assert f"would send {len(GOOD)} bytes to metrics under key shop" in out
    assert "dry run: 1 of 1 would be sent; --yes sends them" in out
    assert not sent.events
    assert status(stores.summaries, 1) == "open"


def test_replay_sends_the_original_under_its_key_and_marks_it(put, run, sent, stores):
    put(letter(1, body=GOOD), letter(2, body=b'{"a":1}', key=b"", topic="deployments"))
    code, out, _ = run("replay", f"{1:032x}", f"{2:032x}", f"{1:032x}", "--yes")
    assert code == 0
    assert [(event.topic, event.key, event.body) for event in sent.events] == [
        ("metrics", b"shop", GOOD),
        ("deployments", None, b'{"a":1}'),
    ]
    assert "2 of 2 sent and marked as replayed" in out
    assert (status(stores.summaries, 1), status(stores.summaries, 2)) == ("replayed", "replayed")


def test_replay_warns_of_what_would_be_refused_again(put, run, sent):
    put(letter(1), letter(2, body=GOOD))
    _, out, _ = run("replay", f"{1:032x}")
    assert "it would be refused again: missing_field: Object missing required field `metric`" in out
    assert "refused again" not in run("replay", f"{2:032x}")[1]


def test_what_was_cut_is_replayed_whole_from_the_raw_log(put, run, sent, keep):
    long_key = b"k" * 10_000
    put(
        letter(1, body=LONG),
        letter(2, body=LONG, position=1),
        letter(3, body=GOOD, key=long_key[:MAX_DETAIL]),
        # refused after decoding: the letter has the event in another spelling than the record
        letter(4, body=LONG.replace(b": ", b":")),
    )
    keep(1, LONG)
    keep(2, b"[" + GOOD + b", " + LONG + b"]")
    keep(3, b"[" + GOOD + b"]", long_key)
    keep(4, LONG)
    code, _, err = run("replay", *[f"{number:032x}" for number in (1, 2, 3, 4)], "--yes")
    assert (code, err) == (0, "")
    assert [event.body for event in sent.events] == [LONG, LONG, GOOD, LONG]
    assert sent.events[2].key == long_key


def test_what_the_raw_log_does_not_have_is_not_sent_cut(put, run, sent, stores, keep):
    put(letter(1, body=LONG), letter(2, body=GOOD), letter(3, body=LONG, position=5), letter(4, body=LONG, position=1))
    keep(3, b"[" + GOOD + b"]")
    keep(4, b"junk")
    code, out, err = run("replay", *[f"{number:032x}" for number in (1, 2, 3, 4)], "--yes")
    assert code == 1
    assert [event.body for event in sent.events] == [GOOD]
    assert "the raw log has no record at metrics/3/1" in err
    assert "has 1 events; the letter is of number 5" in err
    assert "is not the one that the letter was made from" in err
    assert "1 of 4 sent" in out
    assert [status(stores.summaries, number) for number in (1, 2, 3, 4)] == ["open", "replayed", "open", "open"]


def test_what_was_too_large_to_keep_is_not_sent_cut(put, run, sent, stores):
    put(letter(1, body=LONG, reason="too_large"))
    record = RawRecord("any", LANE.partition, 1, 0, b"shop", LONG, ((CUT_HEADER, b"9000000,4,0"),))
    stores.raw_log.append(RawBatch("cluster", "metrics", LANE.partition, [record], [], packed=True))
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert (code, sent.events) == (1, [])
    assert "too large to be kept whole" in err


def test_only_what_the_broker_acknowledged_is_marked(put, run, sent, stores):
    put(letter(1, body=GOOD), letter(2, body=GOOD))
    sent.refused[f"{1:032x}"] = "Broker: Message size too large"
    code, out, err = run("replay", f"{1:032x}", f"{2:032x}", "--yes")
    assert code == 75
    assert "not acknowledged by 127.0.0.1:1: Broker: Message size too large" in err
    assert "1 of 2 sent" in out
    assert (status(stores.summaries, 1), status(stores.summaries, 2)) == ("open", "replayed")


def test_a_broker_that_is_away_is_exit_code_75_and_nothing_is_marked(put, run, stores):
    put(letter(1, body=GOOD))
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert code == 75
    assert "not acknowledged by 127.0.0.1:1" in err
    assert status(stores.summaries, 1) == "open"


def test_a_letter_is_not_replayed_twice_by_mistake(put, run, sent, stores):
    put(letter(1, body=GOOD))
    assert run("replay", f"{1:032x}", "--yes")[0] == 0
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert (code, len(sent.events)) == (1, 1)
    assert "it was replayed before; --again" in err
    assert run("replay", f"{1:032x}", "--yes", "--again")[0] == 0
    assert len(sent.events) == 2


def test_a_body_may_be_mended_for_one_letter(put, run, sent, tmp_path, capsys):
    put(letter(1), letter(2))
    (tmp_path / "mended.json").write_bytes(GOOD)
    assert run("replay", f"{1:032x}", "--body", tmp_path / "mended.json", "--yes")[0] == 0
    assert [(event.key, event.body) for event in sent.events] == [(b"shop", GOOD)]
    with pytest.raises(SystemExit) as ended:
        run("replay", f"{1:032x}", f"{2:032x}", "--body", tmp_path / "mended.json")
    assert ended.value.code == 2
    assert "--body is for one letter" in capsys.readouterr().err
    assert run("replay", f"{2:032x}", "--body", tmp_path / "absent.json")[0] == 78


def test_an_empty_record_has_nothing_to_replay(put, run, sent):
    put(letter(1, body=b"", reason="empty"))
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert (code, sent.events) == (1, [])
    assert "accept it" in err


def test_a_timer_that_failed_cannot_be_sent(put, run, sent):
    put(letter(1, position=-1, reason="model_error", body=b"{}"))
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert (code, sent.events) == (1, [])
    assert "no event" in err


def test_a_mark_that_fails_says_what_was_sent(put, run, sent, monkeypatch):
    put(letter(1, body=GOOD))

    def fail(*_):
        raise Transient("the database is away")

    monkeypatch.setattr("vigia.stores.sql.summaries.SqlSummaries.mark_dead_letters", fail)
    code, _, err = run("replay", f"{1:032x}", "--yes")
    assert code == 75
    assert "do not replay these again" in err
    assert f"{1:032x}" in err
