"""One server of the stack: what Kafka, Cassandra and MariaDB have in common.

A subclass says how to prepare, what to run and how to ask whether it answers. Objects hold no state of their own: two
of them, in two processes, see the same server through its record on disk.
"""

import shutil
import threading
import time
from abc import ABC, abstractmethod
from typing import ClassVar

from scripts.stack import ports, process
from scripts.stack.errors import AbandonedError, StackError
from scripts.stack.files import make_private_folder, tail
from scripts.stack.settings import StackSettings, variable

LOG_LINES = 25
LOG_LIMIT = 20 * 1024 * 1024
START_SECONDS = 120.0


class Server(ABC):
    """A server that can be started, asked, stopped and killed."""

    name: ClassVar[str]
    stop_seconds: ClassVar[float]
    """How long SIGTERM may take before SIGKILL."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self.home = settings.home(self.name)
        self.data = self.home / "data"
        self.log = self.home / "log" / f"{self.name}.log"
        self._record_file = self.home / "process.json"

    @property
    @abstractmethod
    def ports(self) -> dict[str, int]:
        """Field of the settings -> port it listens on; the first is the one clients use."""

    @abstractmethod
    def require_tools(self) -> None:
        """Raise a StackError that says what to install when the machine lacks something."""

    @abstractmethod
    def prepare(self) -> None:
        """Fetch jars, write the configuration, format the data folder once."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line, run in the server's home."""

    @abstractmethod
    def probe(self) -> None:
        """Make one real request; any exception means not yet."""

    @property
    def port(self) -> int:
        """The port clients use: the one it was started with, else the one set."""
        record = self._record()
        return record.port if record else next(iter(self.ports.values()))

    def pid(self) -> int | None:
        """The process's id, or None when it does not run."""
        record = self._record()
        return record.pid if record else None

    def memory(self) -> int | None:
        """Resident bytes, or None when it does not run."""
        record = self._record()
        found = record.find() if record else None
        return int(found.memory_info().rss) if found else None

    def require_startable(self) -> None:
        """Raise when it cannot be started as it is set: wrong port while it runs, a taken port, a missing program."""
        if self.pid() is None:
            self.require_tools()
            ports.require_free(self.name, self.ports)
            return
        field, wanted = next(iter(self.ports.items()))
        if wanted != self.port:
            raise StackError(
                f"{self.name} already runs on port {self.port}, and {variable(field)} asks for {wanted}. Stop it first "
                f"(python -m scripts.stack down {self.name}), or unset {variable(field)}."
            )

    def start(self) -> bool:
        """Start it without waiting until it answers. False when it ran already."""
        self.require_startable()
        if self.pid() is not None:
            return False
        for folder in (self.home, self.log.parent):
            make_private_folder(folder)
        self._rotate_log()
        self.prepare()
        command = self.command()
        offset = self.log.stat().st_size if self.log.exists() else 0
        pid = process.launch(command, self.home, self.log)
        port = next(iter(self.ports.values()))
        try:
            process.ProcessRecord(pid, process.start_mark(pid), command, port, offset).save(self._record_file)
        except OSError:  # a full disk: a server that nobody could find again must not stay
            process.end(pid, 0)
            raise
        return True

    def ready(self, timeout: float = START_SECONDS, abandoned: threading.Event | None = None) -> None:
        """Wait until it answers a real request; raises with the end of its log when it dies or takes too long."""
        deadline = time.monotonic() + timeout
        problem = "its port is closed"
        while time.monotonic() < deadline:
            if abandoned is not None and abandoned.is_set():
                raise AbandonedError(f"{self.name}: given up")
            if self.pid() is None:
                raise StackError(self._with_log(f"{self.name} is not running: it ended on start, or was never started"))
            if ports.is_open(self.port):
                try:
                    self.probe()
                except Exception as error:  # noqa: BLE001  # each client has its own tree, and none matters yet
                    problem = f"{type(error).__name__}: {error}"
                else:
                    return
            time.sleep(0.1)
        raise StackError(self._with_log(f"{self.name} did not answer within {timeout:.0f} s ({problem})"))

    def stop(self) -> str:
        """End it by SIGTERM, and by SIGKILL after ``stop_seconds``; says what happened. Keeps its data."""
        return self._end(self.stop_seconds)

    def kill(self) -> str:
        """End it by SIGKILL at once, as a crash would."""
        return self._end(0)

    def wipe(self) -> None:
        """Delete its data; raises when it runs. Jars, logs and its secret stay."""
        if self.pid() is not None:
            raise StackError(f"{self.name} runs as process {self.pid()}; stop it before its data is deleted.")
        for path in (self.data, self.data.with_name("data.partial")):
            if path.exists():
                shutil.rmtree(path)

    def _end(self, patience: float) -> str:
        pid = self.pid()
        what = "was not running"
        if pid is not None:
            what = "stopped" if process.end(pid, patience) else "ended by SIGKILL"
        self._record_file.unlink(missing_ok=True)
        return what

    def _record(self) -> process.ProcessRecord | None:
        record = process.ProcessRecord.load(self._record_file)
        return record if record is not None and record.find() is not None else None

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _with_log(self, message: str) -> str:
        record = process.ProcessRecord.load(self._record_file)
        lines = tail(self.log, LOG_LINES, record.log_offset if record else 0)
        return f"{message}. The end of {self.log}:\n{lines or '(empty)'}"
