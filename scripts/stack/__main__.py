"""``python -m scripts.stack``: start, stop and show the local stack. ``make stack`` and ``make stack-down`` call it."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from scripts.stack import fleet
from scripts.stack.errors import StackError
from scripts.stack.report import status_lines
from scripts.stack.settings import StackSettings

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    # The driver logs every refused connection; while a node starts that is its normal state.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    try:
        return _run(options)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what this command had started was stopped\n")
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    settings = StackSettings.from_environment(os.environ)
    every = fleet.build_servers(settings)
    servers = [server for name, server in every.items() if name in options.server or not options.server]
    if options.command == "up":
        fleet.up(settings, servers, _say)
    elif options.command == "down":
        fleet.down(settings, servers, _say, wipe=options.wipe)
    else:
        _say("\n".join(status_lines(servers)))
        return 0 if all(server.pid() for server in servers) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start servers and wait until they answer"),
        ("down", "stop servers, keep their data"),
        ("status", "show servers; exit code 0 only if all of them run"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("server", nargs="*", choices=[*fleet.NAMES, []], help="only these (default: all)")
        if name == "down":
            command.add_argument("--wipe", action="store_true", help="also delete their data (jars and logs stay)")
    return parser


def _say(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # `make stack | head -1`: whoever stops reading does not want the servers stopped
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
