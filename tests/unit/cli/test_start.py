"""How a run starts: patient with servers, alone on its data, and plain about what is wrong."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from vigia.cli import main
from vigia.cli.exits import INTERRUPTED, NEEDS_PERSON, TRANSIENT, RunFailed
from vigia.cli.run import ground
from vigia.cli.run.broker import BrokerDown
from vigia.cli.run.command import run
from vigia.cli.run.options import Options
from vigia.cli.run.patience import Patience
from vigia.cli.run.stopping import Stop
from vigia.stores.errors import Transient, Unusable


class TestPatience:
    @pytest.fixture
    def said(self):
        return []

    @pytest.fixture
    def patience(self, said):
        now = 0.0

        def wait(seconds):
            nonlocal now
            now += seconds
            return False

        return Patience(60.0, wait, lambda: now, said.append)

    def test_what_comes_back_in_time_is_waited_for_and_said(self, patience, said):
        answers = [BrokerDown("Kafka does not answer")] * 3 + [Transient("no connection")] * 3

        def operation():
            if answers:
                raise answers.pop(0)
            return "here"

        assert patience.with_(operation, "Is it up?") == "here"
        assert said[0] == "Kafka does not answer; trying for another 60 s. Is it up?"
        assert len(said) == 2

    def test_what_stays_away_ends_the_run_with_75_after_the_budget(self, patience):
        def operation():
            raise Transient("no connection")

        with pytest.raises(RunFailed, match=r"no connection; waited 60 s\. Is it up\?") as failed:
            patience.with_(operation, "Is it up?")
        assert failed.value.code == TRANSIENT

    def test_the_budget_is_one_for_all(self, patience):
        calls = 0

        def slow():
            nonlocal calls
            calls += 1
            if calls < 29:
                raise Transient("slow")

        patience.with_(slow, "")
        with pytest.raises(RunFailed):
            patience.with_(lambda: (_ for _ in ()).throw(Transient("away")), "")

    def test_what_is_wrong_for_good_is_not_tried_again(self, patience, said):
        with pytest.raises(RunFailed, match="wrong schema") as failed:
            patience.with_(lambda: (_ for _ in ()).throw(Unusable("wrong schema")), "")
        assert (failed.value.code, said) == (NEEDS_PERSON, [])

    def test_waiting_ends_when_somebody_stops_the_run(self):
        patience = Patience(60.0, lambda _: True, lambda: 0.0, print)
        with pytest.raises(RunFailed) as failed:
            patience.with_(lambda: (_ for _ in ()).throw(Transient("away")), "")
        assert failed.value.code == INTERRUPTED


class TestLock:
    def test_a_second_run_on_the_same_data_is_refused_and_told_what_to_do(self, tmp_path):
        first = ground.lock(tmp_path)
        with pytest.raises(RunFailed, match="VIGIA_DATA_DIR") as failed:
            ground.lock(tmp_path)
        assert failed.value.code == NEEDS_PERSON
        first.close()
        ground.lock(tmp_path).close()


class TestLocal:
    @pytest.fixture
    def patience(self):
        return lambda budget: Patience(budget, lambda _: False, lambda: 0.0, lambda _: None)

    def test_a_stack_that_was_never_started_is_named(self, tmp_path, patience):
        with pytest.raises(RunFailed, match="make stack") as failed, ExitStack() as ending:
            ground.local({"VIGIA_STACK_DIR": str(tmp_path)}, ending, patience)
        assert failed.value.code == TRANSIENT

    def test_a_broker_that_stays_away_is_named_with_the_command_that_helps(self, tmp_path, patience, monkeypatch):
        (tmp_path / "env").write_text("export VIGIA_KAFKA_BOOTSTRAP=127.0.0.1:1\n")
        environ = {
            "VIGIA_STACK_DIR": str(tmp_path),
            "VIGIA_DATA_DIR": str(tmp_path / "data"),
            "VIGIA_STREAM_START_BUDGET": "0s",
        }
        monkeypatch.setattr("vigia.cli.run.broker.ANSWER_SECONDS", 0.2)
        with (
            pytest.raises(RunFailed, match=r"127\.0\.0\.1:1 does not answer.*make stack") as failed,
            ExitStack() as end,
        ):
            ground.local(environ, end, patience)
        assert failed.value.code == TRANSIENT
        ground.lock(tmp_path / "data").close()


class TestStop:
    def test_the_first_signal_asks_and_the_second_insists(self):
        before = signal.getsignal(signal.SIGINT)
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.wait(10)
            assert not stop.insisted.is_set()
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.insisted.wait(10)
        assert signal.getsignal(signal.SIGINT) is before


class TestCommands:
    def test_more_workers_than_sqlite_can_take_are_refused_with_the_way_out(self, capsys):
        assert run(Options(workers=2)) == NEEDS_PERSON
        assert "STACK=local" in capsys.readouterr().err

    def test_settings_that_cannot_be_used_are_explained_without_a_traceback(self, capsys, monkeypatch):
        monkeypatch.setenv("VIGIA_NO_SUCH_THING", "1")
        assert main(["worker"]) == NEEDS_PERSON
        assert main(["migrate"]) == NEEDS_PERSON
        assert main(["run"]) == NEEDS_PERSON
        captured = capsys.readouterr()
        assert captured.err.count("VIGIA_NO_SUCH_THING") == 3
        assert captured.out == ""

    def test_migrating_makes_both_stores_and_is_harmless_when_they_are(self, tmp_path, monkeypatch):
        monkeypatch.setenv("VIGIA_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("VIGIA_RAW_LOG_URL", f"sqlite:///{tmp_path / 'raw.db'}")
        monkeypatch.setenv("VIGIA_SUMMARIES_URL", f"sqlite:///{tmp_path / 'summaries.db'}")
        assert main(["migrate", "--without-topics"]) == 0
        # the embedded broker makes its topics by itself
        monkeypatch.setenv("VIGIA_KAFKA_EPHEMERAL", "true")
        monkeypatch.setenv("VIGIA_KAFKA_BOOTSTRAP", "127.0.0.1:1")
        assert main(["migrate"]) == 0
        assert {path.name for path in Path(tmp_path).glob("*.db")} == {"raw.db", "summaries.db"}

    @pytest.mark.parametrize(
        "arguments", [[], ["run", "--workers", "0"], ["run", "--stack", "cloud"], ["run", "--timeout", "soon"]]
    )
    def test_what_cannot_be_meant_is_refused(self, arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
