"""`vigia migrate`: bring both stores to the newest schema, and create the topics that are missing.

What else differs on the broker is only told: `python -m scripts.topics` can say more of it, and set what can be set.
"""

import sys

from vigia import app
from vigia.cli.exits import NEEDS_PERSON, OK, TRANSIENT
from vigia.settings import Settings, SettingsError, load
from vigia.stores.errors import Transient, Unusable


def migrate(*, with_topics: bool = True) -> int:
    """Migrate; returns the exit code. The embedded broker, which makes topics by itself, is left alone."""
    try:
        settings = load()
        app.migrate(settings)
        return _topics(settings) if with_topics and not settings.kafka.ephemeral else OK
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    except OSError as error:
        print(f"a file that the stores need cannot be used: {error}", file=sys.stderr)
        return NEEDS_PERSON
    except app.BrokerUnreachable as error:
        print(f"the schemas are ready, but not the topics: {error} (--without-topics leaves them)", file=sys.stderr)
        return TRANSIENT
    except Transient as error:
        print(f"a store does not answer: {error}", file=sys.stderr)
        return TRANSIENT


def _topics(settings: Settings) -> int:
    refused = False
    for drift in app.ensure_topics(settings):
        if drift.outcome == "created":
            print(f"created topic {drift.topic}")
            continue
        refused |= drift.outcome == "refused"
        why = f" ({drift.detail})" if drift.detail else ""
        print(
            f"topic {drift.topic}: {drift.setting} should be {drift.wanted} and is {drift.found}{why}", file=sys.stderr
        )
    return NEEDS_PERSON if refused else OK
