"""Which history a run plays back: the recorded one, or that of a git repository."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vigia import app
from vigia.cli.exits import NEEDS_PERSON, RunFailed
from vigia.cli.run.feeding import Feed
from vigia.cli.run.options import Options
from vigia.events.names import MAX_NAME
from vigia.feeds import history
from vigia.feeds.git.command import GitError
from vigia.feeds.git_history import History
from vigia.settings import Settings
from vigia.stores.errors import Unusable

RECORDED_PER_SECOND = 20.0
REPO_PER_SECOND = 100.0


@dataclass(frozen=True)
class Played:
    """A history, and how many of its events a second can be watched."""

    events: Callable[[], Feed]
    per_second: float


def playing(options: Options, run_id: str, settings: Settings, now: float) -> Played:
    """Return what is asked for; raises RunFailed for a repository that cannot be read.

    A repository's service has the name of its folder, and is scored by the team that owns that service today: its model
    is the one that starts warm.
    """
    if options.repo is None:
        return Played(partial(history.events, run_id), RECORDED_PER_SECOND)
    service = service_of(options.repo)
    try:
        scope = app.scope_of(settings, service, now)
        return Played(History(options.repo, service, scope, now, options.newest).events, REPO_PER_SECOND)
    except (GitError, Unusable) as error:
        raise RunFailed(f"the history of {options.repo} cannot be played back: {error}", NEEDS_PERSON) from error


def service_of(repo: Path) -> str:
    """Return the name of a repository's folder as a service's: without `.git`, and never empty.

    >>> service_of(Path("/src/till/.git")), service_of(Path("/src/my till.git")), service_of(Path("/"))
    ('till', 'my_till', 'repository')
    """
    folder = repo.absolute()
    name = folder.parent.name if folder.name == ".git" else folder.name.removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[: MAX_NAME // 2] or "repository"
