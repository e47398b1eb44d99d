"""`vigia dora`: asks for the delivery metrics of a service, a team, an organisation or all, and prints them."""

import argparse
import time
from difflib import get_close_matches

import msgspec

from vigia.app.files import read_delivery_files
from vigia.cli.delivery.tables import show
from vigia.cli.exits import OK
from vigia.cli.reading import console, print_json, with_span
from vigia.cli.span import Span
from vigia.events.catalog import Catalog
from vigia.events.dora_facts import Membership, Of, Question
from vigia.models.dora.intervals import ranks
from vigia.models.dora.levels import DoraConfig
from vigia.models.dora.report import DoraReport, report
from vigia.settings import Settings
from vigia.stores.errors import Unusable
from vigia.stores.queries.delivery_facts import delivery_facts
from vigia.stores.queries.reader import Reader


def dora(options: argparse.Namespace) -> int:
    """Print the report; returns the exit code."""
    return with_span(options, lambda reader, settings, span: _report(reader, settings, span, options))


def read(reader: Reader, question: Question, config: DoraConfig, year: int, *, days: bool = False) -> DoraReport:
    """Return the report; with `days`, the days of it have their lead times, too. Raises as the reader does."""
    return report(delivery_facts(reader, question, ranks, days=days), config, year)


def question_of(options: argparse.Namespace, span: Span, catalog: Catalog, config: DoraConfig, now: float) -> Question:
    """Return the question that the options ask; raises Unusable for an organisation that the catalog does not know.

    A span that goes on beyond `now` (epoch seconds) ends there: what is still to come is no time without deployments.
    """
    of, name = _whose(options)
    memberships: tuple[Membership, ...] = ()
    if of == "organisation":
        memberships = tuple(Membership(*each) for each in catalog.teams_of(name))
        if not memberships:
            raise Unusable(_unknown(name, catalog.organisations()))
    return Question(
        of=of,
        name=name,
        since=float(span.since),
        until=max(span.since + 1.0, min(float(span.until), now)),
        environments=tuple(dict.fromkeys(options.environment)) if options.environment else config.environments,
        attribution_window=config.attribution_window_hours * 3600.0,
        memberships=memberships,
    )


def _whose(options: argparse.Namespace) -> tuple[Of, str]:
    if options.service is not None:
        return "service", options.service
    if options.team is not None:
        return "team", options.team
    return ("organisation", options.organisation) if options.organisation is not None else ("all", "")


def _report(reader: Reader, settings: Settings, span: Span, options: argparse.Namespace) -> int:
    catalog, config = read_delivery_files(settings)
    question = question_of(options, span, catalog, config, time.time())
    answer = read(reader, question, config, options.year, days=options.days)
    if not options.days:
        answer = msgspec.structs.replace(answer, days=[])
    if options.json:
        print_json(answer)
    else:
        show(answer, span, console())
    return OK


def _unknown(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else f": it has {', '.join(known) or 'none'}"
    return f"the catalog has no organisation {name!r}{hint}"
