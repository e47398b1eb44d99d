"""The environment of a run's workers: the embedded broker with SQLite, or the local stack of `.stack/env`."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

ONCE_IDLE_SECONDS = 2
"""With --once the last windows of finite input close after so long, not after the minute that live input gets."""

STACK_FILE = Path("env")


class NoStack(Exception):
    """The local stack's settings are not there; the message says what to do."""


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what it says of broker and stores: that is meant for other ways to run."""
    others = ("VIGIA_KAFKA_", "VIGIA_RAW_LOG_", "VIGIA_SUMMARIES_")
    return {name: value for name, value in environ.items() if not name.startswith(others)}


def embedded(environ: Mapping[str, str], data_dir: Path, bootstrap: str, cluster_id: str) -> dict[str, str]:
    """Return the variables for workers on an embedded broker, with their stores in `data_dir`."""
    return {
        **bare(environ),
        "VIGIA_PROFILE": "development",
        "VIGIA_DATA_DIR": str(data_dir),
        "VIGIA_KAFKA_BOOTSTRAP": bootstrap,
        "VIGIA_KAFKA_CLUSTER_ID": cluster_id,
        "VIGIA_KAFKA_EPHEMERAL": "true",
        "VIGIA_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "VIGIA_KAFKA_REPLICATION_FACTOR": "1",
        "VIGIA_KAFKA_MIN_INSYNC_REPLICAS": "1",
        # a worker that was killed is replaced on this machine: nobody need wait long for its sign of life
        "VIGIA_KAFKA_SESSION_TIMEOUT": "10s",
        "VIGIA_RAW_LOG_URL": f"sqlite:///{data_dir / 'raw.db'}",
        "VIGIA_SUMMARIES_URL": f"sqlite:///{data_dir / 'summaries.db'}",
    }


def local(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for workers on the local stack; raises NoStack when it was never started."""
    file = Path(environ.get("VIGIA_STACK_DIR") or ".stack") / STACK_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NoStack(
            f"there is no local stack here ({file}: {os.strerror(error.errno or 0)}); run `make stack`"
        ) from error
    return {**environ, **exports(text)}


def for_once(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a run on finite input; what a person has set stays.

    But for our own metrics: they are no part of that input, and would be counted with it.
    """
    own = {"VIGIA_OPERATIONS_OWN_METRICS": "false"}
    return {"VIGIA_METRICS_IDLE_TIMEOUT": f"{ONCE_IDLE_SECONDS}s", **environ, **own}


def exports(text: str) -> dict[str, str]:
    """Return the variables of shell lines `export NAME=value`, quotes taken off.

    >>> exports("export A='b c' D=e # said so")
    {'A': 'b c', 'D': 'e'}
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["export"]:
            parts = [word.partition("=") for word in words[1:]]
            found |= {name: value for name, equals, value in parts if equals}
    return found
