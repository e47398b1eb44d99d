"""The composition root: settings -> stores -> models -> agents. `routes.py` has the table of who does what.

Everything else is told what to use; only here is it chosen, and only here are clients made.
"""

from vigia.app.opening import Stores, ensure_topics, make_private, migrate, open_stores, opened_summaries
from vigia.settings import Settings
from vigia.streaming.topic_admin import BrokerUnreachable

__all__ = [
    "BrokerUnreachable",
    "Stores",
    "ensure_topics",
    "make_private",
    "migrate",
    "open_stores",
    "opened_summaries",
    "run_worker",
    "scope_of",
]


def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; see `vigia.app.worker.run_worker`."""
    # Faust and the models take seconds to import, and who only opens stores needs neither
    from vigia.app import worker  # noqa: PLC0415

    return worker.run_worker(settings)


def scope_of(settings: Settings, service: str, at: float) -> str:
    """Return the team that owned `service` at the epoch time `at`, as the catalog says; raises Unusable."""
    from vigia.app import files  # noqa: PLC0415 - as above

    return files.read_catalog(settings.catalog).scope_of(service, at)
