"""Puts the rebuilt database in the live one's place; the live one is kept under another name.

Nothing may work on the live database meanwhile. So the swap looks for others, watches whether lanes move, and then
takes every lane over: a worker that it could not see conflicts at its next commit, before the swap and after it, since
the lanes' versions only ever rise.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from scripts.rebuilding import swap_mysql, swap_sqlite
from scripts.rebuilding.errors import TryAgain
from scripts.rebuilding.places import Place, replaced_name
from scripts.rebuilding.running import positions
from vigia.stores.base import LaneRow, StepCommit, Summaries
from vigia.stores.sql import risk_models

OWNER = "rebuild-swap"
LETTERS_AT_ONCE = 1_000
OUTBOX_AT_ONCE = 1_000


def swap(live: Place, rebuilt: Place, say: Callable[[str], None], *, watch: float, dry: bool) -> str:
    """Swap, and return what the replaced database is called now; with `dry`, only say whether it could be done.

    `watch` is for how many seconds the lanes must stand still. Raises TryAgain when they do not, when others use
    the live database, or when the rebuilt one is not as far.
    """
    how = swap_sqlite if live.on_sqlite else swap_mysql
    _check(live, rebuilt)
    others = how.others(live)
    if others:
        raise TryAgain("the live database is in use; stop the workers and whatever else reads it: " + "; ".join(others))
    say(f"watching the lanes for {watch:.0f} s")
    before = live.summaries.lanes()
    time.sleep(watch)
    if live.summaries.lanes() != before:
        raise TryAgain("the live lanes move: a worker is running")
    kept = replaced_name(live, datetime.now(UTC))
    if dry:
        return kept
    rows = _take_over(live.summaries, live.summaries.lanes())
    _check(live, rebuilt)
    _carry_over(live.summaries, rebuilt.summaries, rows)
    risk_models.take_over(live.database, rebuilt.database)
    how.exchange(live, rebuilt, kept)
    return kept


def _check(live: Place, rebuilt: Place) -> None:
    apart = [f"{each.lane} by {each.steps}" for each in positions(live, rebuilt) if each.steps or not each.rebuilt]
    if apart:
        raise TryAgain(f"the rebuilt lanes are not where the live ones are (steps: {', '.join(apart)}): `run` first")


def _take_over(live: Summaries, rows: list[LaneRow]) -> list[LaneRow]:
    taken = []
    for row in rows:
        now = live.acquire(row.lane, OWNER, row.cluster_id, row.partition_count)
        if now.version != row.version + 1:
            raise TryAgain(f"lane {row.lane.agent}/{row.lane.partition} was taken over just now: a worker is running")
        taken.append(now)
    return taken


def _carry_over(live: Summaries, rebuilt: Summaries, rows: list[LaneRow]) -> None:
    """Bring over what no rebuild can make: versions above all that were, outputs that wait, people's marks."""
    for row in rows:
        mine = rebuilt.acquire(row.lane, OWNER, row.cluster_id, row.partition_count)
        # what an interrupted swap has brought over already
        while held := rebuilt.outbox(row.lane, OUTBOX_AT_ONCE):
            rebuilt.delete_outbox(row.lane, [output.number for output in held])
        waiting = live.outbox(row.lane, 2**31 - 1)
        new = msgspec.structs.replace(
            mine,
            version=max(row.version, mine.version) + 1,
            outbox_next=max(row.outbox_next, mine.outbox_next),
        )
        rebuilt.commit(StepCommit(new, mine.version, None, outbox=waiting))
    after = ""
    while letters := live.dead_letters(None, LETTERS_AT_ONCE, after):
        after = letters[-1].letter_id
        for status in sorted({letter.status for letter in letters} - {"open"}):
            rebuilt.mark_dead_letters([each.letter_id for each in letters if each.status == status], status)
