"""Every setting of the local stack, its environment variable and its default; the only reader of the environment here.

The servers listen on 127.0.0.1 whatever is set: there is deliberately no setting for the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.errors import StackError

HOST = "127.0.0.1"
CHECKOUT = Path(__file__).resolve().parents[2]
PREFIX = "VIGIA_STACK_"
_HIGHEST_PORT = 65535
_MEMORY = re.compile(r"[1-9][0-9]*[kmgKMG]")


@dataclass(frozen=True)
class StackSettings:
    """Where the stack lives, its ports and its memory. Each field is settable as ``VIGIA_STACK_<FIELD>``."""

    root: Path = CHECKOUT / ".stack"
    """Folder of jars, data, configuration and logs (``VIGIA_STACK_DIR``)."""
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    kafka_memory: str = "512m"
    """Java heap of the broker."""
    cassandra_port: int = 19042
    cassandra_storage_port: int = 17000
    cassandra_jmx_port: int = 0
    """Port for nodetool on the loopback interface; 0 keeps JMX off, since whoever reaches it can run code."""
    cassandra_memory: str = "1g"
    """Java heap of the node; its buffers outside the heap are limited to 256 MiB more."""
    mariadb_port: int = 19306
    mariadb_memory: str = "256M"
    """InnoDB buffer pool."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "StackSettings":
        """Read the settings, with one error that names every variable which cannot be used."""
        problems: list[str] = []
        values: dict[str, int | str | Path] = {}
        if folder := environment.get(PREFIX + "DIR"):
            values["root"] = Path(folder).expanduser().resolve()
        for field in cls.__dataclass_fields__:
            text = environment.get(variable(field))
            if field == "root" or not text:
                continue
            try:
                values[field] = _memory(text) if field.endswith("_memory") else _port(field, text)
            except ValueError as error:
                problems.append(f"{variable(field)}={text!r}: {error}")
        if problems:
            raise StackError("Settings of the stack that cannot be used:\n  " + "\n  ".join(problems))
        return cls(**values)  # type: ignore[arg-type]  # each value was parsed for its field above

    def home(self, server: str) -> Path:
        """The folder of one server."""
        return self.root / server


def variable(field: str) -> str:
    """The environment variable of a field, for messages that say which setting to change."""
    return PREFIX + field.upper()


def _port(field: str, text: str) -> int:
    lowest = 0 if field == "cassandra_jmx_port" else 1
    if not text.isdecimal() or not lowest <= int(text) <= _HIGHEST_PORT:
        raise ValueError(f"a port is a number from {lowest} to {_HIGHEST_PORT}")
    return int(text)


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise ValueError("memory is a number with its unit: 512m, 1g")
    return text
