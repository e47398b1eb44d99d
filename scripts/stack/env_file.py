"""``.stack/env``: what the application has to be told to use the stack, as shell exports (``. .stack/env``)."""

import shlex
from pathlib import Path

from scripts.stack.files import write_private
from scripts.stack.mariadb import DATABASE, USER
from scripts.stack.settings import HOST, StackSettings


def application_environment(settings: StackSettings, password: str) -> dict[str, str]:
    """The application's settings for a stack with these ports."""
    return {
        "VIGIA_KAFKA_BOOTSTRAP": f"{HOST}:{settings.kafka_port}",
        "VIGIA_RAW_LOG_URL": f"cassandra://{HOST}:{settings.cassandra_port}/{DATABASE}",
        "VIGIA_SUMMARIES_URL": (
            f"mysql+pymysql://{USER}:{password}@{HOST}:{settings.mariadb_port}/{DATABASE}?charset=utf8mb4"
        ),
    }


def write_env_file(settings: StackSettings, password: str) -> Path:
    """Write the file, readable by its owner only since it holds the password."""
    path = settings.root / "env"
    lines = [
        f"export {name}={shlex.quote(value)}" for name, value in application_environment(settings, password).items()
    ]
    write_private(path, "\n".join(lines) + "\n")
    return path
