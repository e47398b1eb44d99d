"""The arguments of `vigia emit`. Nothing heavy is imported here: every command of `vigia` reads this."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # its name is private, but it is what add_subparsers returns
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

EXITS = """exit codes:
   0  acknowledged; with --gate: the deployment is safer than nine in ten of those that fail
   2  the arguments or the checkout cannot be used
  10  --gate: a person should look (neither answer can be excluded)
  20  --gate: it is riskier than nine in ten of those that go well
  30  --gate: a rule of the policy says no, whatever the score
  75  the broker has not acknowledged the event, or --gate got no answer in time
  78  the settings cannot be used
"""


def add(commands: "Commands") -> None:
    """Add `emit` and its kinds of events."""
    emit = commands.add_parser("emit", help="send one event: a deployment, what came of it, an incident, a metric, ...")
    kinds = emit.add_subparsers(dest="kind", required=True, metavar="KIND")
    _deployment(kinds)
    _feedback(kinds)
    _judgement(kinds)
    _incident(kinds)
    _attribution(kinds)
    _metric(kinds)
    _ai_decision(kinds)


def _deployment(kinds: "Commands") -> None:
    parser = _kind(kinds, "deployment", "a change that reaches an environment, and its risk", deployment=True)
    parser.add_argument("--stage", choices=["planned", "started", "finished"], default="planned", help="(planned)")
    parser.add_argument("--status", choices=["succeeded", "failed", "cancelled"], help="with --stage finished")
    parser.add_argument(
        "--does",
        choices=["deployment", "rollback", "publication", "removal"],
        default="deployment",
        help="bring a change, go back to an earlier version, let users reach it, take the service away (deployment)",
    )
    parser.add_argument("--version", default="", help="version that is deployed (the commit's id)")
    parser.add_argument("--run", action="append", default=[], metavar="NAME", help="pipeline run or change behind it")
    parser.add_argument(
        "--feature",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=VALUE",
        help="what you know of the whole change, such as tests_passed_pct=98.5 or schema_migration=1 (docs/events.md)",
    )
    checkout = parser.add_argument_group("the commits that it brings, read from a git checkout")
    checkout.add_argument("--repo", default=".", metavar="DIR", help="the checkout (this folder)")
    checkout.add_argument("--commit", default="HEAD", metavar="REV", help="what is deployed (HEAD)")
    deployed = checkout.add_mutually_exclusive_group()
    deployed.add_argument("--since", default="", metavar="REV", help="what is deployed now; without it, and without")
    deployed.add_argument(
        "--since-tag",
        default="",
        metavar="PATTERN",
        help="newest tag before it that matches, such as 'v*': only the last commit, or what its merge brought",
    )
    deployed.add_argument("--no-git", action="store_true", help="no commits, no features")
    asked = parser.add_argument_group("its risk")
    asked.add_argument("--gate", action="store_true", help="let the exit code say what was decided")
    asked.add_argument("--wait", type=_seconds, metavar="S", help="longest wait (emit.risk_timeout; 0: do not wait)")


def _feedback(kinds: "Commands") -> None:
    parser = _kind(kinds, "feedback", "what came of a deployment", deployment=True)
    answer = parser.add_mutually_exclusive_group(required=True)
    answer.add_argument("--succeeded", dest="failed", action="store_const", const=False, help="it did what it should")
    answer.add_argument("--failed", dest="failed", action="store_const", const=True, help="it did not")
    parser.add_argument(
        "--label",
        choices=["intervention", "ci_status", "defect"],
        default="intervention",
        help="needed intervention in production, CI said so, brought a defect that was found later (intervention)",
    )
    _who(parser)
    parser.add_argument("--repo", default=".", metavar="DIR", help="outside of a pipeline: the checkout (this folder)")
    parser.add_argument("--commit", default="HEAD", metavar="REV", help="outside of a pipeline: what was deployed")


def _judgement(kinds: "Commands") -> None:
    parser = _kind(kinds, "judgement", "whether an AI agent's decision was right")
    parser.add_argument("--agent", required=True)
    parser.add_argument("--decision-id", required=True)
    parser.add_argument("--judgement", required=True, choices=["correct", "incorrect", "partly"])
    parser.add_argument("--judge", choices=["person", "outcome"], default="person", help="(person)")
    _who(parser)


def _incident(kinds: "Commands") -> None:
    parser = _kind(kinds, "incident", "something is broken for users, or no longer")
    _service(parser)
    _of(parser, "incident", required=True)
    parser.add_argument("--resolved", action="store_true", help="users are no longer affected")
    parser.add_argument("--severity", choices=["P0", "P1", "P2", "P3"], default="P2", help="(P2)")
    parser.add_argument("--title", default="")
    parser.add_argument(
        "--deployment",
        action="append",
        default=[],
        type=_reference,
        metavar="SOURCE=ID",
        help="deployment that is said to have caused it",
    )
    parser.add_argument("--link", action="append", default=[], metavar="URL")


def _attribution(kinds: "Commands") -> None:
    parser = _kind(kinds, "attribution", "which deployment caused an incident, as a person says")
    _service(parser)
    _of(parser, "incident", required=True)
    cause = parser.add_mutually_exclusive_group(required=True)
    cause.add_argument("--deployment", type=_reference, metavar="SOURCE=ID")
    cause.add_argument("--no-deployment", action="store_true", help="none did")
    _who(parser, required=True)


def _metric(kinds: "Commands") -> None:
    parser = _kind(kinds, "metric", "a measured value")
    _service(parser, scope=False)
    parser.add_argument("--metric", required=True)
    parser.add_argument("--value", required=True, type=float)
    parser.add_argument("--unit", default="", help="UCUM preferred: 1 for ratios, By, ms")
    parser.add_argument("--counts", action="store_true", help="a counter that only grows, not a level")
    parser.add_argument("--label", action="append", default=[], type=_pair, metavar="NAME=VALUE")


def _ai_decision(kinds: "Commands") -> None:
    parser = _kind(kinds, "ai-decision", "what an AI agent decided")
    parser.add_argument("--agent", required=True)
    parser.add_argument("--decision-id", required=True)
    parser.add_argument("--decision-type", required=True)
    parser.add_argument("--decision", required=True)
    parser.add_argument("--confidence", type=float, help="that it is right, in [0, 1]")
    parser.add_argument("--execution-time", type=float, metavar="MS")
    parser.add_argument("--model-version", default="")
    parser.add_argument("--reference", default="", help="what was decided about")


def _kind(kinds: "Commands", name: str, what: str, *, deployment: bool = False) -> argparse.ArgumentParser:
    parser = kinds.add_parser(
        name, help=what, description=f"Send {what}.", epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--at", type=_time, metavar="TIME", help="when: RFC 3339 or epoch seconds (now)")
    parser.add_argument("--event-id", default="", metavar="ID", help="by which a repeat is recognised")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    if deployment:
        _service(parser)
        _of(parser, "deployment", required=False)
    return parser


def _service(parser: argparse.ArgumentParser, *, scope: bool = True) -> None:
    parser.add_argument("--service", required=True)
    parser.add_argument("--environment", default="production", help="(production)")
    if scope:
        parser.add_argument("--scope", default="", metavar="TEAM", help="(as the catalog says)")


def _of(parser: argparse.ArgumentParser, what: str, *, required: bool) -> None:
    hint = "" if required else " (made from pipeline, service and environment)"
    parser.add_argument("--source", default="", help="tool and place that name it (the repository, or vigia-emit)")
    parser.add_argument("--id", required=required, default="", help=f"the {what}'s name there{hint}")


def _who(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument("--by", required=required, default="", help="who says so")
    parser.add_argument("--reason", default="")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no `=`")
    return name, value


def _reference(text: str) -> tuple[str, str]:
    # a source may be an address with `=` in it
    source, equals, external_id = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no `=`")
    return source, external_id


def _time(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 3600:  # noqa: PLR2004 - as emit.risk_timeout
        raise argparse.ArgumentTypeError("0 to 3600 seconds")
    return number
