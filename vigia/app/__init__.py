"""The composition root: settings -> stores -> models -> agents. `routes.py` has the table of who does what.

Everything else is told what to use; only here is it chosen, and only here are clients made.
"""

from vigia.app.opening import Stores, ensure_topics, migrate, open_stores
from vigia.app.worker import run_worker

__all__ = ["Stores", "ensure_topics", "migrate", "open_stores", "run_worker"]
