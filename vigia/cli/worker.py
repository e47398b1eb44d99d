"""`vigia worker`: one worker process, as the supervisor, a container or a service manager starts it."""

import logging
import sys

from vigia import app
from vigia.cli.exits import NEEDS_PERSON
from vigia.cli.parent import end_with_parent
from vigia.settings import SettingsError, load

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def worker(*, ends_with_stdin: bool) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code."""
    if ends_with_stdin:
        end_with_parent()
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    logging.basicConfig(stream=sys.stderr, level=settings.log_level, format=LOG_FORMAT)
    return app.run_worker(settings)
