"""The `vigia` command: `run` starts everything and shows it, `worker` is one worker, `migrate` prepares stores and
broker for workers, `health` says whether they answer, `emit` sends one event and asks for a deployment's risk,
`ai-agents` measures AI agents, `metrics` says what a service's series were like, `problems` what was found in them,
`mute` keeps problems from opening for a while,
`dora` and `deployments` show what is delivered, `feedback` which labels contradict each other.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from vigia.cli.ai_agents.arguments import add as add_ai_agents
from vigia.cli.delivery.arguments import add as add_delivery
from vigia.cli.emit.arguments import add as add_emit
from vigia.cli.feedback.arguments import add as add_feedback
from vigia.cli.metrics.arguments import add as add_metrics
from vigia.cli.mute.arguments import add as add_mute
from vigia.cli.problems.arguments import add as add_problems
from vigia.cli.run.options import NEWEST, Options

DESCRIPTION = "Vigia watches a software delivery organisation as a stream."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code (see `vigia/cli/exits.py`)."""
    options = _parser().parse_args(arguments)
    return COMMANDS[options.command](options)


# each command imports what it needs: a worker loads no view, and --help loads nothing


def _run(options: argparse.Namespace) -> int:
    from vigia.cli.run.command import run  # noqa: PLC0415

    return run(
        Options(
            once=options.once,
            local=options.stack == "local",
            workers=options.workers,
            timeout=options.timeout,
            repo=Path(options.repo) if options.repo else None,
            newest=options.newest,
        )
    )


def _worker(options: argparse.Namespace) -> int:
    if options.hold:
        from vigia.cli.holding import hold  # noqa: PLC0415

        return hold()
    from vigia.cli.worker import worker  # noqa: PLC0415

    return worker(ends_with_stdin=options.ends_with_stdin)


def _migrate(options: argparse.Namespace) -> int:
    from vigia.cli.migrate import migrate  # noqa: PLC0415

    return migrate(with_topics=not options.without_topics)


def _health(_options: argparse.Namespace) -> int:
    from vigia.cli.health import health  # noqa: PLC0415

    return health()


def _emit(options: argparse.Namespace) -> int:
    from vigia.cli.emit.command import emit  # noqa: PLC0415

    return emit(options)


def _ai_agents(options: argparse.Namespace) -> int:
    from vigia.cli.ai_agents.command import ai_agents  # noqa: PLC0415

    return ai_agents(options)


def _metrics(options: argparse.Namespace) -> int:
    from vigia.cli.metrics.command import metrics  # noqa: PLC0415

    return metrics(options)


def _mute(options: argparse.Namespace) -> int:
    from vigia.cli.mute.command import mute  # noqa: PLC0415

    return mute(options)


def _problems(options: argparse.Namespace) -> int:
    from vigia.cli.problems.command import problems  # noqa: PLC0415

    return problems(options)


def _dora(options: argparse.Namespace) -> int:
    from vigia.cli.delivery.dora import dora  # noqa: PLC0415

    return dora(options)


def _deployments(options: argparse.Namespace) -> int:
    from vigia.cli.delivery.deployments import deployments  # noqa: PLC0415

    return deployments(options)


def _feedback(options: argparse.Namespace) -> int:
    from vigia.cli.feedback.command import feedback  # noqa: PLC0415

    return feedback(options)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "worker": _worker,
    "migrate": _migrate,
    "health": _health,
    "emit": _emit,
    "ai-agents": _ai_agents,
    "metrics": _metrics,
    "mute": _mute,
    "problems": _problems,
    "dora": _dora,
    "deployments": _deployments,
    "feedback": _feedback,
}
"""What each subcommand does."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vigia", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start broker, workers and feeds, and show what they do")
    run.add_argument("--once", action="store_true", help="feed finite input, account for it, print a report, exit")
    run.add_argument(
        "--stack",
        choices=["embedded", "local"],
        default="embedded",
        help="embedded: a broker of its own and SQLite; local: the servers of `make stack` (default: embedded)",
    )
    run.add_argument("--workers", type=_count, default=1, metavar="N", help="worker processes (default: 1)")
    run.add_argument(
        "--timeout", type=float, default=300.0, metavar="S", help="with --once: seconds until it gives up (300)"
    )
    run.add_argument(
        "--repo", default="", metavar="DIR", help="play back this git repository's main line, not the recorded history"
    )
    run.add_argument(
        "--newest", type=_count, default=NEWEST, metavar="N", help=f"with --repo: so many of its steps ({NEWEST})"
    )
    worker = commands.add_parser("worker", help="one worker process, until SIGTERM")
    worker.add_argument("--ends-with-stdin", action="store_true", help="end when standard input closes (for `run`)")
    worker.add_argument(
        "--hold", action="store_true", help="after exit code 78 do nothing until SIGTERM, unhealthy (for containers)"
    )
    migrate = commands.add_parser("migrate", help="bring schemas to the newest version, create missing topics")
    migrate.add_argument("--without-topics", action="store_true", help="leave the broker alone")
    commands.add_parser("health", help="say whether stores and broker answer: exit code 0, or 1 with what does not")
    add_emit(commands)
    add_ai_agents(commands)
    add_metrics(commands)
    add_mute(commands)
    add_problems(commands)
    add_delivery(commands)
    add_feedback(commands)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
