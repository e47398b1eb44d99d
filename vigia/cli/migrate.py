"""`vigia migrate`: bring the schemas of both stores to the newest version."""

import sys

from vigia import app
from vigia.cli.exits import NEEDS_PERSON, OK, TRANSIENT
from vigia.settings import SettingsError, load
from vigia.stores.errors import Transient, Unusable


def migrate() -> int:
    """Migrate; returns the exit code."""
    try:
        app.migrate(load())
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    except Transient as error:
        print(f"a store does not answer: {error}", file=sys.stderr)
        return TRANSIENT
    return OK
