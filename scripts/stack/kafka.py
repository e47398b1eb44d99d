"""Apache Kafka: one KRaft node that is broker and controller, from its Maven jars."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from functools import cached_property

from confluent_kafka.admin import AdminClient

from scripts.stack import jars, tools
from scripts.stack.errors import StackError
from scripts.stack.files import render, write_private
from scripts.stack.server import Server
from scripts.stack.settings import HOST


class Kafka(Server):
    """The broker. Its cluster id is made with its data folder and changes only when that is wiped."""

    name = "kafka"
    stop_seconds = 20.0

    @property
    def ports(self) -> dict[str, int]:
        """Clients' port, and the controller's."""
        return {
            "kafka_port": self.settings.kafka_port,
            "kafka_controller_port": self.settings.kafka_controller_port,
        }

    def require_tools(self) -> None:
        """Java 17; Maven while jars are missing."""
        self._java  # noqa: B018  # raises when there is none
        if not jars.are_complete(jars.POMS / "kafka.pom.xml", self.home / "lib"):
            tools.find("mvn")

    def prepare(self) -> None:
        """Jars, two configuration files, and a formatted data folder."""
        jars.copy_jars(jars.POMS / "kafka.pom.xml", self.home / "lib")
        conf = self.home / "conf"
        ports = {"port": self.settings.kafka_port, "controller_port": self.settings.kafka_controller_port}
        write_private(conf / "kafka.properties", render("kafka.properties", **ports))
        write_private(conf / "java.args", render("kafka.java.args", memory=self.settings.kafka_memory))
        if not (self.data / "meta.properties").exists():
            self._format()

    def command(self) -> list[str]:
        """Java with its argument file, then the broker's main class."""
        return [*self._java_command(), "kafka.Kafka", "conf/kafka.properties"]

    def probe(self) -> None:
        """Ask for the cluster's description."""
        client = AdminClient({"bootstrap.servers": f"{HOST}:{self.port}", "log_level": 0})
        cluster = client.describe_cluster(request_timeout=5).result(5)
        if not cluster.nodes:
            raise StackError("the cluster has no broker yet")

    def _java_command(self) -> list[str]:
        return [self._java, f"-Dvigia.stack={self.home}", "@conf/java.args"]

    @cached_property
    def _java(self) -> str:
        return tools.find_java()

    def _format(self) -> None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        # Kafka's tools read an id that starts with a dash as an option.
        cluster_id = cluster_id.replace("-", "A", 1) if cluster_id.startswith("-") else cluster_id
        command = [*self._java_command(), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += ["--cluster-id", cluster_id, "--config", "conf/kafka.properties"]
        run = subprocess.run(command, cwd=self.home, capture_output=True, text=True, check=False, timeout=60)
        if run.returncode != 0:
            output = "\n".join((run.stdout + run.stderr).splitlines()[-15:])
            raise StackError(f"kafka: formatting {self.data} failed (exit {run.returncode}):\n{output}")
