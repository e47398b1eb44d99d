"""`list`: letters as a table or JSON, oldest first. What senders wrote is shown escaped, never obeyed."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.letters import DONE
from scripts.letters.safe import as_text, one_line
from vigia.events.times import rfc3339
from vigia.stores.base import DeadLetterRow, Summaries

STATUSES = ("open", "replayed", "accepted")
ANY = "all"

PAGE = 500
"""Letters that are read at once: each may have a body of 64 KiB."""

SHORT_DETAIL = 200
"""Characters of a detail in the table; `show` has all of it."""

NO_TERMINAL = 200
"""Columns of the table in a pipe or file, where there is no terminal to fit into."""


class Wanted(NamedTuple):
    """Which letters to list; None means any."""

    status: str | None
    reason: str | None
    topic: str | None
    limit: int


def list_letters(summaries: Summaries, wanted: Wanted, *, as_json: bool) -> int:
    """Print the letters and return the exit code."""
    letters = list(islice(_matching(summaries, wanted), wanted.limit + 1))
    more = len(letters) > wanted.limit
    del letters[wanted.limit :]
    if as_json:
        print(json.dumps([_plain(letter) for letter in letters], indent=2))
    else:
        _print_table(letters)
    if more:
        print(f"there are more than {wanted.limit}; see --limit", file=sys.stderr)
    return DONE


def _matching(summaries: Summaries, wanted: Wanted) -> Iterator[DeadLetterRow]:
    after = ""
    while page := summaries.dead_letters(wanted.status, PAGE, after):
        for letter in page:
            if wanted.reason in {None, letter.reason} and wanted.topic in {None, letter.topic}:
                yield letter
        after = page[-1].letter_id


def _print_table(letters: list[DeadLetterRow]) -> None:
    console = Console(width=None if sys.stdout.isatty() else NO_TERMINAL)
    if not letters:
        console.print("no such dead letters")
        return
    table = Table()
    table.add_column("id", no_wrap=True)
    for heading in ("time", "status", "reason", "place", "key", "detail"):
        table.add_column(heading, overflow="fold")
    for letter in letters:
        cells = (
            letter.letter_id,
            rfc3339(letter.at),
            letter.status,
            letter.reason,
            place_of(letter),
            as_text(letter.key[:SHORT_DETAIL]),
            one_line(letter.detail[:SHORT_DETAIL]),
        )
        # Text, since rich would read a sender's [brackets] as markup
        table.add_row(*map(Text, cells))
    console.print(table)


def place_of(letter: DeadLetterRow) -> str:
    """Return where the original lies: topic/partition/offset, and the position in an array."""
    place = f"{letter.topic}/{letter.lane.partition}/{letter.offset}"
    return f"{place}#{letter.position}" if letter.position else place


def _plain(letter: DeadLetterRow) -> dict[str, object]:
    return {
        "letter_id": letter.letter_id,
        "status": letter.status,
        "reason": letter.reason,
        "detail": letter.detail,
        "at": rfc3339(letter.at),
        "agent": letter.lane.agent,
        "cluster": letter.cluster_id,
        "topic": letter.topic,
        "partition": letter.lane.partition,
        "offset": letter.offset,
        "position": letter.position,
        "key": as_text(letter.key),
        "body_size": letter.body_size,
    }
