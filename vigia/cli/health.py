"""`vigia health`: whether a worker's settings, stores and broker are fine now, for containers and people.

A worker that is held (`vigia worker --hold`) is not, whatever its stores are.
"""

import logging
import sys

from vigia.app.health import unhealthy
from vigia.cli.holding import held
from vigia.settings import SettingsError, load

HEALTHY = 0
UNHEALTHY = 1
"""Docker keeps all other codes for itself."""

WITHIN = 8.0
"""Seconds for all answers: below the 15 that docker-compose.yml gives the whole command."""


def health() -> int:
    """Print a line for each part that fails; returns the exit code."""
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return UNHEALTHY
    disabled = logging.root.manager.disable
    # drivers would tell the same at length
    logging.disable(logging.CRITICAL)
    try:
        failing = unhealthy(settings, WITHIN)
    finally:
        logging.disable(disabled)
    if held(settings):
        failing.append("the worker ended with 78 and waits for a person: its log says why")
    for line in failing:
        print(line, file=sys.stderr)
    return UNHEALTHY if failing else HEALTHY
