"""Topics on a real broker: `python -m scripts.topics apply` creates them and reports drift, `check` only reports.

`acls` prints access lists for `kafka-acls.sh`. `repartition AGENT COUNT` adds partitions to all topics of an agent and
takes its states, timers and remembered ids to their new lanes (`scripts/repartitioning`, docs/runbooks/repartition.md).
Exit codes: 0 in order or done, 1 drift or refused, 75 the broker or a store did not answer, 78 settings or a database
that cannot be used. Settings are the application's (`VIGIA_*`, `config/vigia.toml`).
"""

import argparse
import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

if not __package__:
    # run as a file: Python has put this folder on the path instead of the checkout's
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from rich.console import Console
from rich.table import Table

from scripts.acls import acl_commands
from scripts.repartitioning.checks import Asked
from scripts.repartitioning.command import Wanted, repartition
from vigia.settings import KafkaSettings, SettingsError, load
from vigia.streaming.topic_admin import BrokerUnreachable, Drift, TopicPolicy, check_topics, ensure_topics
from vigia.topics import TOPICS

IN_ORDER, DRIFTED, UNREACHABLE, BAD_SETTINGS = 0, 1, 75, 78

MOST_PARTITIONS = 10_000
"""More for one topic is a slip of the hand, and could not be taken back."""

HINTS = {
    "partitions": "keys would change lanes: `repartition AGENT COUNT` adds some and lets their states follow",
    "replication": "the administrator's to change, with kafka-reassign-partitions.sh",
}
COLOURS = {"open": "yellow", "refused": "red", "created": "green", "fixed": "green"}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_SETTINGS
    kafka = settings.kafka
    if options.action == "repartition":
        asked = Asked(options.count, options.watch, options.despite_lag)
        return repartition(settings, Wanted(options.agent, asked, options.because, options.yes))
    if options.action == "acls":
        return _print_acls(kafka, options)
    policy = TopicPolicy(
        kafka.replication_factor, kafka.min_insync_replicas, compression=kafka.compression, prefix=kafka.topic_prefix
    )
    connection = kafka.confluent_config()
    try:
        if options.action == "apply":
            drift = ensure_topics(connection, TOPICS, policy, fix=options.fix, timeout=options.timeout)
        else:
            drift = check_topics(connection, TOPICS, policy, timeout=options.timeout)
    except BrokerUnreachable as error:
        print(f"{error}\nIs it running, and is VIGIA_KAFKA_BOOTSTRAP right?", file=sys.stderr)
        return UNREACHABLE
    if options.json:
        print(json.dumps([asdict(each) for each in drift], indent=2))
    else:
        _print_report(drift, f"{options.action} on {kafka.bootstrap}")
    return IN_ORDER if all(each.settled for each in drift) else DRIFTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.topics", description="Topics on a real broker.")
    actions = parser.add_subparsers(dest="action", required=True)
    apply = actions.add_parser("apply", help="create missing topics and report drift")
    apply.add_argument("--fix", action="store_true", help="also set the configuration of topics that differ")
    check = actions.add_parser("check", help="report what is missing or differs; changes nothing")
    acls = actions.add_parser("acls", help="print access lists as kafka-acls.sh command lines")
    acls.add_argument("--principal", default="User:{name}", metavar="FORMAT", help="default: User:{name}")
    more = actions.add_parser("repartition", help="add partitions to all topics of an agent; its states follow")
    more.add_argument("agent", metavar="AGENT")
    more.add_argument("count", type=_count, metavar="COUNT", help="how many partitions each topic of it shall have")
    more.add_argument("--because", default="", metavar="TEXT", help="why; it is kept with the change")
    more.add_argument("--watch", type=float, default=5.0, metavar="S", help="seconds for which logs must not grow (5)")
    more.add_argument(
        "--despite-lag", action="store_true", help="where partitions were added already: what waits may be overtaken"
    )
    more.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    for action in (apply, check, acls):
        action.add_argument("--json", action="store_true", help="print JSON")
    for action in (apply, check):
        action.add_argument("--timeout", type=float, default=10.0, metavar="S", help="seconds for a request (10)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_PARTITIONS:
        raise argparse.ArgumentTypeError(f"1 to {MOST_PARTITIONS} partitions")
    return number


def _print_acls(kafka: KafkaSettings, options: argparse.Namespace) -> int:
    commands = acl_commands(
        TOPICS,
        bootstrap=kafka.bootstrap,
        group=kafka.group,
        prefix=kafka.topic_prefix,
        principal_format=options.principal,
    )
    print(json.dumps(commands, indent=2) if options.json else "\n".join(map(shlex.join, commands)))
    return IN_ORDER


def _print_report(drift: list[Drift], title: str) -> None:
    console = Console()
    if not drift:
        console.print(f"{len(TOPICS)} topics are in order ({title})", highlight=False)
        return
    table = Table(title=title, title_justify="left")
    for heading in ("topic", "setting", "wanted", "found", "outcome"):
        table.add_column(heading, overflow="fold")
    for each in drift:
        outcome = f"[{COLOURS[each.outcome]}]{each.outcome}[/]"
        table.add_row(each.topic, each.setting, each.wanted, each.found, f"{outcome} {each.detail}".rstrip())
    console.print(table)
    still = [each for each in drift if not each.settled]
    for setting in dict.fromkeys(each.setting for each in still):
        if setting in HINTS:
            console.print(f"{setting}: {HINTS[setting]}", highlight=False)
    if any("." in each.setting and each.outcome == "open" for each in still):
        console.print("`apply --fix` sets configuration that differs")
    if any(each.setting == "topic" and each.outcome == "open" for each in still):
        console.print("`apply` creates what is missing")


if __name__ == "__main__":
    sys.exit(main())
