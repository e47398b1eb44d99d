"""`vigia ai-agents`: reads the counts of a span of days and of the one before, and prints tables or JSON."""

import argparse
from datetime import UTC, datetime

import msgspec

from vigia.cli.ai_agents.tables import show
from vigia.cli.exits import OK
from vigia.cli.reading import console, print_json, with_span
from vigia.cli.span import DAY, Span
from vigia.models.telemetry.report import FORMULA_VERSION, AgentReport, Targets, agent_reports
from vigia.settings import Settings
from vigia.stores.queries.ai_agents import ai_decision_tallies, ai_decision_times, last_ai_decision_day
from vigia.stores.queries.reader import Reader

PIECES = 30
"""Most pieces that a span is cut into to see how well accuracy could be foretold; no piece is shorter than a day."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. The first and the last day are in the span."""

    since: str
    until: str
    formula_version: int
    targets: Targets
    agents: list[AgentReport]
    empty: str
    """Why there are no agents; nothing where there are."""


def ai_agents(options: argparse.Namespace) -> int:
    """Print the report; returns the exit code."""
    return with_span(options, lambda reader, settings, span: _report(reader, settings, span, options))


def read(reader: Reader, settings: Settings, span: Span, agent: str | None) -> Answer:
    """Return the report on a span, of one agent or of all."""
    piece = -(-span.days // PIECES) * DAY
    targets = Targets(accuracy=settings.telemetry.accuracy_target, feedback=settings.telemetry.feedback_target)
    length = span.until - span.since
    found = agent_reports(
        ai_decision_tallies(reader, span.since, span.until, length, agent),
        ai_decision_tallies(reader, span.since, span.until, piece, agent, judge="any"),
        ai_decision_tallies(reader, span.since - length, span.since, length, agent),
        ai_decision_times(reader, span.since, span.until, agent),
        targets,
    )
    first, last = (datetime.fromtimestamp(each, UTC).date().isoformat() for each in (span.since, span.until - DAY))
    return Answer(
        since=first,
        until=last,
        formula_version=FORMULA_VERSION,
        targets=targets,
        agents=found,
        empty="" if found else _why_empty(reader, agent),
    )


def _report(reader: Reader, settings: Settings, span: Span, options: argparse.Namespace) -> int:
    answer = read(reader, settings, span, options.agent)
    if options.json:
        print_json(answer)
    else:
        show(answer.agents, answer.empty, span, answer.targets, console())
    return OK


def _why_empty(reader: Reader, agent: str | None) -> str:
    last = last_ai_decision_day(reader, agent)
    who = f"the AI agent {agent!r}" if agent is not None else "any AI agent"
    if last is None:
        return f"no decision of {who} has ever come in: they are sent to the topic ai-decisions"
    return (
        f"no decision of {who} lies in this span; the latest day with one is {datetime.fromtimestamp(last, UTC).date()}"
    )
