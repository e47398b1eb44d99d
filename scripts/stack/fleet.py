"""The servers together: started in parallel with all or nothing kept, ended in parallel."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager

from scripts.stack.cassandra import Cassandra
from scripts.stack.env_file import write_env_file
from scripts.stack.errors import AbandonedError, StackError
from scripts.stack.files import make_private_folder
from scripts.stack.kafka import Kafka
from scripts.stack.mariadb import MariaDB
from scripts.stack.server import Server
from scripts.stack.settings import StackSettings

Say = Callable[[str], None]
NAMES = ("cassandra", "kafka", "mariadb")


def build_servers(settings: StackSettings) -> dict[str, Server]:
    """Every server by its name, the slowest to start first."""
    servers: list[Server] = [Cassandra(settings), Kafka(settings), MariaDB(settings)]
    return {server.name: server for server in servers}


def up(settings: StackSettings, servers: Sequence[Server], say: Say) -> None:
    """Start servers and wait until all answer; when one fails, those this call started are stopped again."""
    with _one_command_at_a_time(settings):
        _require_startable(servers)
        _start_all(servers, say)
        env = write_env_file(settings, MariaDB(settings).password())
    say(f"ready; settings for the application, password included: . {env}")


def down(settings: StackSettings, servers: Sequence[Server], say: Say, *, wipe: bool = False) -> None:
    """Stop servers; with ``wipe`` their data goes too, their jars stay."""
    if not settings.root.exists():
        say(f"nothing to stop: {settings.root} does not exist")
        return
    say(f"stopping the stack in {settings.root}")
    with _one_command_at_a_time(settings):
        _stop_all(servers, say)
        for server in servers if wipe else ():
            server.wipe()
            say(f"{server.name}: data deleted")


def _require_startable(servers: Sequence[Server]) -> None:
    problems = []
    for server in servers:
        try:
            server.require_startable()
        except StackError as error:
            problems.append(str(error))
    if problems:
        raise StackError("\n".join(problems))


def _start_all(servers: Sequence[Server], say: Say) -> None:
    started: list[Server] = []
    abandoned = threading.Event()

    def start(server: Server) -> None:
        begin = time.monotonic()
        if server.start():
            started.append(server)
        server.ready(abandoned=abandoned)
        what = f"ready after {time.monotonic() - begin:.1f} s" if server in started else "ran already"
        say(f"{server.name}: {what} (port {server.port}, process {server.pid()})")

    with ThreadPoolExecutor(len(servers)) as pool:
        futures = [pool.submit(start, server) for server in servers]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException as error:  # Ctrl-C too must leave nothing half-started
            abandoned.set()
            wait(futures)
            _stop_all(started, say)
            if isinstance(error, StackError):
                raise StackError("\n".join(_problems(futures))) from error
            raise


def _problems(futures: Sequence[Future[None]]) -> list[str]:
    errors = [future.exception() for future in futures]
    return [str(error) for error in errors if error is not None and not isinstance(error, AbandonedError)]


def _stop_all(servers: Sequence[Server], say: Say) -> None:
    if not servers:
        return
    with ThreadPoolExecutor(len(servers)) as pool:
        for server, what in zip(servers, pool.map(lambda server: server.stop(), servers), strict=True):
            say(f"{server.name}: {what}")


@contextmanager
def _one_command_at_a_time(settings: StackSettings) -> Iterator[None]:
    make_private_folder(settings.root)
    with (settings.root / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, and when this process dies
        yield
