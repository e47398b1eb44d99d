"""A stack of a test's own, with servers that it may kill, and a proxy before each of them.

It has its own ports and folder, small heaps, and the jars of the local stack; it and its data go with the context.
A second listener of Kafka advertises its proxy's port, so that a client which begins at the proxy stays on it.
Cassandra's driver takes a single node to be where it was reached, so the port in the URL is enough.
"""

import contextlib
import os
import random
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import fleet
from scripts.stack.env_file import application_environment
from scripts.stack.kafka import Kafka
from scripts.stack.mariadb import MariaDB
from scripts.stack.server import Server
from scripts.stack.settings import HOST, StackSettings
from tests.support.tcp_proxy import Proxy

PORTS = range(20_000, 32_000)
"""Below those of outgoing connections: one of these could take a server's port while the server is down."""


class KafkaBehindProxy(Kafka):
    """The broker with a second listener for clients that come through a proxy."""

    def __init__(self, settings: StackSettings, inner: int, proxy: int) -> None:
        super().__init__(settings)
        self._inner = inner
        self._proxy = proxy

    def prepare(self) -> None:
        """Name the listener in the configuration: of two lines for one property, the later one counts."""
        super().prepare()
        clients, controller = self.settings.kafka_port, self.settings.kafka_controller_port
        lines = (
            f"listeners=PLAINTEXT://{HOST}:{clients},CONTROLLER://{HOST}:{controller},PROXY://{HOST}:{self._inner}",
            f"advertised.listeners=PLAINTEXT://{HOST}:{clients},PROXY://{HOST}:{self._proxy}",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXY:PLAINTEXT",
        )
        with (self.home / "conf" / "kafka.properties").open("a", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class OwnStack:
    """The servers and proxies by name: `kafka`, `cassandra`, `mariadb`."""

    servers: dict[str, Server]
    proxies: dict[str, Proxy]
    direct: dict[str, str]
    """Settings of a client that goes to the servers."""

    def through_proxies(self, env: dict[str, str]) -> dict[str, str]:
        """Return `env`, which was made from `direct`, for a client that comes through the proxies."""
        ports = {server.port: self.proxies[name].port for name, server in self.servers.items()}
        changed = dict(env)
        for name in ("VIGIA_KAFKA_BOOTSTRAP", "VIGIA_RAW_LOG_URL", "VIGIA_SUMMARIES_URL"):
            for port, proxy in ports.items():
                changed[name] = changed[name].replace(f"{HOST}:{port}", f"{HOST}:{proxy}")
        return changed

    def mend(self, leave: str = "") -> None:
        """Release what is held back, start every server that was killed but `leave`, and wait until they answer."""
        for proxy in self.proxies.values():
            proxy.release()
        servers = [server for name, server in self.servers.items() if name != leave]
        for server in servers:
            server.start()
        for server in servers:
            server.ready()


@contextlib.contextmanager
def own_stack(folder: Path) -> Iterator[OwnStack]:
    """Run a stack in `folder`; the local one must have been started once, for its jars."""
    ports = _free_ports(9)
    settings = StackSettings(
        root=folder,
        kafka_port=ports[0],
        kafka_controller_port=ports[1],
        kafka_memory="256m",
        cassandra_port=ports[2],
        cassandra_storage_port=ports[3],
        cassandra_memory="512m",
        mariadb_port=ports[4],
        mariadb_memory="128M",
    )
    kafka = KafkaBehindProxy(settings, inner=ports[5], proxy=ports[6])
    servers = {**fleet.build_servers(settings), "kafka": kafka}
    proxies = {
        "kafka": Proxy(ports[6], ports[5]),
        "cassandra": Proxy(ports[7], ports[2]),
        "mariadb": Proxy(ports[8], ports[4]),
    }
    _borrow_jars(StackSettings.from_environment(os.environ), settings)
    try:
        with contextlib.ExitStack() as listening:
            for proxy in proxies.values():
                listening.enter_context(proxy.listening())
            for server in servers.values():
                server.start()
            for server in servers.values():
                server.ready()
            yield OwnStack(servers, proxies, application_environment(settings, MariaDB(settings).password()))
    finally:
        for server in servers.values():
            server.kill()
        shutil.rmtree(folder)


def _borrow_jars(lender: StackSettings, borrower: StackSettings) -> None:
    for name in ("kafka", "cassandra"):
        borrower.home(name).mkdir(mode=0o700, parents=True)
        (borrower.home(name) / "lib").symlink_to(lender.home(name) / "lib")


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            found.append(port)
        if len(found) == count:
            break
    assert len(found) == count, f"no {count} free ports between {PORTS.start} and {PORTS.stop}"
    return found
