"""Apache Cassandra 5.0: one node from its Maven jars, on the loopback interface only."""

from functools import cached_property
from pathlib import Path

from cassandra.cluster import Cluster

from scripts.stack import jars, tools
from scripts.stack.files import render, write_private
from scripts.stack.server import Server
from scripts.stack.settings import HOST


class Cassandra(Server):
    """The node. Its commit log is synced before a write is acknowledged (``commitlog_sync: group``)."""

    name = "cassandra"
    stop_seconds = 30.0

    @property
    def ports(self) -> dict[str, int]:
        """Clients' port, the port between nodes, and JMX's when it is on."""
        ports = {
            "cassandra_port": self.settings.cassandra_port,
            "cassandra_storage_port": self.settings.cassandra_storage_port,
        }
        if self.settings.cassandra_jmx_port:
            ports["cassandra_jmx_port"] = self.settings.cassandra_jmx_port
        return ports

    def require_tools(self) -> None:
        """Java 17; Maven while jars are missing."""
        self._java  # noqa: B018  # raises when there is none
        if not jars.are_complete(self._pom, self.home / "lib"):
            tools.find("mvn")

    def prepare(self) -> None:
        """Jars and three configuration files; Cassandra makes its data folders itself."""
        jars.copy_jars(self._pom, self.home / "lib")
        conf = self.home / "conf"
        jmx_port = self.settings.cassandra_jmx_port
        jmx = f"-Dcassandra.jmx.local.port={jmx_port}" if jmx_port else ""
        ports = {"port": self.settings.cassandra_port, "storage_port": self.settings.cassandra_storage_port}
        write_private(conf / "cassandra.yaml", render("cassandra.yaml", **ports))
        write_private(conf / "logback.xml", render("cassandra.logback.xml"))
        arguments = render("cassandra.java.args", memory=self.settings.cassandra_memory, jmx=jmx)
        write_private(conf / "java.args", arguments)

    def command(self) -> list[str]:
        """Java with its argument file, then the node's main class."""
        main = "org.apache.cassandra.service.CassandraDaemon"
        return [self._java, f"-Dvigia.stack={self.home}", "@conf/java.args", main]

    def probe(self) -> None:
        """Ask for the release over CQL."""
        cluster = Cluster([HOST], port=self.port, connect_timeout=5)
        try:
            cluster.connect().execute("SELECT release_version FROM system.local", timeout=5).one()
        finally:
            cluster.shutdown()

    @property
    def _pom(self) -> Path:
        return jars.POMS / "cassandra.pom.xml"

    @cached_property
    def _java(self) -> str:
        return tools.find_java()
