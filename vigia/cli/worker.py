"""`vigia worker`: one worker process, as the supervisor, a container or a service manager starts it."""

import logging
import sys

from vigia import app
from vigia.cli.exits import NEEDS_PERSON
from vigia.cli.parent import end_with_parent
from vigia.settings import SettingsError, load

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

COORDINATOR_NOT_AVAILABLE = 15
"""How a broker answers whose first group this is: it is still making the topic that groups are kept in."""

GROUP_START = 30.0
"""Seconds after its first such answer until it counts as an error."""

BROKER_LOGGERS = (
    "aiokafka",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)

REPEAT_AFTER = 10.0
"""Seconds after which these may say the same again."""


class GroupStart(logging.Filter):
    """Takes aiokafka's errors for details while the broker gets ready for its first group."""

    _first: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        arguments = record.args if isinstance(record.args, tuple) else ()
        if not any(getattr(each, "errno", None) == COORDINATOR_NOT_AVAILABLE for each in arguments):
            return True
        if self._first is None:
            self._first = record.created
        if record.created - self._first > GROUP_START:
            return True
        return _as_detail(record)


class SaidOnce(logging.Filter):
    """Takes a complaint that is repeated, as while the broker is away, for a detail: once in REPEAT_AFTER will do.

    What counts as the same is the text before its values are put in. aiokafka says thousands of lines a minute.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        last = self._said.get(record.msg)
        if last is None or not 0 <= record.created - last < REPEAT_AFTER:
            self._said[record.msg] = record.created
            return True
        return _as_detail(record)


def worker(*, ends_with_stdin: bool) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code."""
    if ends_with_stdin:
        end_with_parent()
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    configure_logging(settings.log_level)
    return app.run_worker(settings)


def configure_logging(level: str) -> None:
    """Log to standard error; what libraries only remark is left out unless `level` is DEBUG."""
    logging.basicConfig(stream=sys.stderr, level=level, format=LOG_FORMAT)
    if level != "DEBUG":
        # its INFO lines are about its own choices; those of Alembic about plugins that it has none of
        for name in ("cassandra", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(GroupStart())
    for name in BROKER_LOGGERS:
        logging.getLogger(name).addFilter(SaidOnce())


def _as_detail(record: logging.LogRecord) -> bool:
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)
