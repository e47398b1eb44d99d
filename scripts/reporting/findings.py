"""What the page tells of, read by the questions that `vigia dora`, `ai-agents`, `metrics` and `problems` ask."""

import argparse

import msgspec

from vigia.app.files import read_delivery_files
from vigia.cli.ai_agents import command as ai_agents
from vigia.cli.delivery import dora
from vigia.cli.metrics import command as metrics
from vigia.cli.metrics.levels import level_for
from vigia.cli.problems import command as problems
from vigia.cli.span import DAY, Span
from vigia.events.dora_facts import Question
from vigia.models.dora.report import DoraReport
from vigia.settings import Settings
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.risk_outcomes import RiskCount, risk_outcomes

DAYS, WEEKS, MONTHS = 1, 7, 28
"""Days of a period."""

PERIODS = 14
"""Most periods that a span is cut into."""

OWN_SERVICE = "vigia"
STEP_DURATION, OLDEST_AGE = "stream_step_duration", "stream_oldest_age"
"""Figures of lanes that workers send of themselves: how long a step takes, and how long a record waits for it."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows. Times are epoch seconds."""

    now: float
    span: Span
    delivery: DoraReport
    period: int
    """Days of a period, but for the first one, which may be shorter."""
    periods: list[DoraReport]
    risk: list[RiskCount]
    agents: ai_agents.Answer
    lanes: list[metrics.Answer]
    """Of `STEP_DURATION` and `OLDEST_AGE`."""
    problems: problems.Answer
    """Those that are open now."""


def read(reader: Reader, settings: Settings, span: Span, options: argparse.Namespace, now: float) -> Findings:
    """Return the findings on a span; `options` are those of `vigia dora`. Raises as the reader does, and Unusable."""
    catalog, config = read_delivery_files(settings)
    question = dora.question_of(options, span, catalog, config, now)
    period, cuts = periods_of(question)
    parts = [msgspec.structs.replace(question, since=since, until=until) for since, until in cuts]
    level = level_for(question.until - question.since)
    return Findings(
        now=now,
        span=span,
        delivery=dora.read(reader, question, config, options.year),
        period=period,
        periods=[dora.read(reader, each, config, options.year) for each in parts],
        risk=risk_outcomes(reader, question),
        agents=ai_agents.read(reader, settings, span, None),
        lanes=[
            metrics.read(
                reader,
                settings,
                metrics.Asked(OWN_SERVICE, None, name, question.since, question.until, level),
            )
            for name in (STEP_DURATION, OLDEST_AGE)
        ],
        problems=problems.read(
            reader, options.service, now, settings.metrics.window, only_open=True, start=None, end=None
        ),
    )


def periods_of(question: Question) -> tuple[int, list[tuple[float, float]]]:
    """Return how many days a period has, and the periods, counted back from the end: the first one may be shorter.

    >>> asked = dict(of="all", name="", environments=("production",), attribution_window=1.0)
    >>> days, cuts = periods_of(Question(since=0.0, until=16 * 86_400.0, **asked))
    >>> days, [(since / 86_400, until / 86_400) for since, until in cuts]
    (7, [(0.0, 2.0), (2.0, 9.0), (9.0, 16.0)])
    """
    # a day that has begun is one of the span
    days = -int(-(question.until - question.since) // DAY)
    length = next(
        (each for each in (DAYS, WEEKS, MONTHS) if days <= PERIODS * each),
        -(-days // PERIODS),
    )
    end = question.since + days * DAY
    starts = [end - number * length * DAY for number in range(-(-days // length), 0, -1)]
    return length, [(max(start, question.since), min(start + length * DAY, question.until)) for start in starts]
