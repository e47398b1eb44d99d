"""`show`: all of one letter."""

import sys

from scripts.letters import DONE, NOT_ALL
from scripts.letters.listing import place_of
from scripts.letters.originals import NoOriginal, original_of
from scripts.letters.safe import as_text, body_lines, many_lines
from vigia.app import Stores
from vigia.events.invalid import EXPLANATIONS, Reason
from vigia.events.times import rfc3339
from vigia.stores.base import DeadLetterRow


def show_letter(stores: Stores, letter_id: str, *, full: bool) -> int:
    """Print the letter and return the exit code."""
    letter = stores.summaries.dead_letter(letter_id)
    if letter is None:
        print(f"there is no dead letter {letter_id!r}", file=sys.stderr)
        return NOT_ALL
    body, code = letter.body, DONE
    if full:
        try:
            body = original_of(letter, stores.raw_log).body
        except NoOriginal as error:
            print(error, file=sys.stderr)
            code = NOT_ALL
    for name, value in _fields(letter):
        # a traceback has lines
        print(f"{name + ':':<12}{many_lines(value).replace(chr(10), chr(10) + ' ' * 12)}")
    missing = letter.body_size - len(body)
    cut = f", {missing} more are in the raw log (--full)" if missing > 0 else ""
    print(f"\nbody, {len(body)} bytes{cut}:")
    for line in body_lines(body):
        print(line)
    return code


def _fields(letter: DeadLetterRow) -> list[tuple[str, str]]:
    known = letter.reason in set(Reason)
    return [
        ("letter", letter.letter_id),
        ("status", letter.status),
        ("reason", letter.reason + (f" ({EXPLANATIONS[Reason(letter.reason)]})" if known else "")),
        ("detail", letter.detail),
        ("arrived", rfc3339(letter.at)),
        ("place", place_of(letter)),
        ("agent", letter.lane.agent),
        ("cluster", letter.cluster_id),
        ("key", as_text(letter.key) or "(none)"),
    ]
