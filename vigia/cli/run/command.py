"""`vigia run` from its options to its exit code: start, watch, end in order, and only then the last line."""

import json
import os
import sys
from contextlib import ExitStack

from vigia.cli.exits import NEEDS_PERSON, TRANSIENT, RunFailed
from vigia.cli.run.broker import BrokerDown
from vigia.cli.run.engine import start
from vigia.cli.run.feeding import FeedFailed
from vigia.cli.run.live import watch
from vigia.cli.run.once import Result, account
from vigia.cli.run.options import Options
from vigia.cli.run.stopping import Stop
from vigia.settings import SettingsError


def run(options: Options) -> int:
    """Run until it is done or stopped; returns the exit code."""
    if options.workers > 1 and not options.local:
        say("SQLite takes one writer: the embedded way has one worker. More workers: `make run STACK=local WORKERS=3`")
        return NEEDS_PERSON
    with Stop() as stop, ExitStack() as ending:
        result = _work(options, stop, ending)
    for sentence in result.missing:
        say(sentence)
    if result.report is not None:
        print(json.dumps(result.report), flush=True)
    return result.code


def _work(options: Options, stop: Stop, ending: ExitStack) -> Result:
    """Return how it went; what went wrong is said at once, since the end in order may take its time."""
    try:
        engine = start(options, os.environ, stop, ending, say)
        return account(engine, stop) if options.once else watch(engine, stop)
    except SettingsError as error:
        say(str(error))
        return Result(NEEDS_PERSON)
    except RunFailed as error:
        say(str(error))
        return Result(error.code)
    except (FeedFailed, BrokerDown) as error:
        say(str(error))
        return Result(TRANSIENT)


def say(sentence: str) -> None:
    """Print a line for the person who watches: on stderr, since stdout belongs to the report."""
    print(sentence, file=sys.stderr, flush=True)
