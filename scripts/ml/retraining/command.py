"""What the commands of the registry share: settings and database, errors as exit codes, who is at work."""

import getpass
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.letters.safe import one_line
from scripts.ml.retraining.registry import Refused
from vigia import __version__
from vigia.app.opening import opened_summaries
from vigia.settings import Settings, SettingsError, load
from vigia.stores.errors import Transient, UnknownOutcome, Unusable
from vigia.stores.sql.summaries import SqlSummaries

DONE, REFUSED, NOT_NOW, UNUSABLE = 0, 1, 75, 78


def run(work: Callable[[SqlSummaries, Settings], int], *, read_only: bool) -> int:
    """Return what `work` returns, given database and settings; errors are told and become exit codes."""
    try:
        settings = load()
        with opened_summaries(settings, read_only=read_only) as summaries:
            summaries.check()
            return work(summaries, settings)
    except (SettingsError, Unusable) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except Refused as error:
        print(one_line(str(error)), file=sys.stderr)
        return REFUSED
    except (Transient, UnknownOutcome) as error:
        print(f"the summaries' database does not answer: {error}", file=sys.stderr)
        return NOT_NOW


def who() -> str:
    """Return the name of this user, which is kept with what is done."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def code_version() -> str:
    """Return the version, with the commit of the checkout where there is one (and a plus where it was changed)."""
    root = Path(__file__).resolve().parents[3]
    command = ["git", "-C", str(root), "describe", "--always", "--exclude", "*", "--dirty=+"]
    try:
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__} {told}"[:64]
