"""`accept`: lets a lane go on that a flood of invalid events has stopped, or writes letters off as seen."""

import argparse
import sys
from collections.abc import Sequence

from scripts.letters import DONE, NOT_ALL
from scripts.letters.safe import one_line
from vigia.stores.base import LaneId, Summaries


def lane_of(text: str) -> LaneId:
    """Return the lane that AGENT/PARTITION names; for argparse."""
    agent, slash, number = text.partition("/")
    if not agent or not slash or not number.isascii() or not number.isdigit():
        raise argparse.ArgumentTypeError("a lane is AGENT/PARTITION, such as metrics/0")
    return LaneId(agent, int(number))


def release_lane(summaries: Summaries, lane: LaneId, *, yes: bool) -> int:
    """Release the lane, or say what stopped it; returns the exit code."""
    name = str(lane)
    row = summaries.read_lane(lane)
    if row is None:
        known = ", ".join(str(each.lane) for each in summaries.lanes()) or "none yet"
        print(f"there is no lane {one_line(name)}; there are: {known}", file=sys.stderr)
        return NOT_ALL
    if not row.stopped:
        print(f"lane {name} is not stopped", file=sys.stderr)
        return NOT_ALL
    print(f"lane {name} is stopped: {one_line(row.stopped)}")
    if not yes:
        print("dry run: --yes releases it; its invalid events stay dead letters, and it goes on after them")
        return DONE
    if not summaries.release(lane):
        print(f"lane {name} was released by somebody else meanwhile")
    else:
        print(f"lane {name} is released; its worker goes on within a second")
    return DONE


def accept_letters(summaries: Summaries, letter_ids: Sequence[str], *, yes: bool) -> int:
    """Mark letters as accepted, or say which would be; returns the exit code."""
    accepted, unknown = [], 0
    for letter_id in dict.fromkeys(letter_ids):
        letter = summaries.dead_letter(letter_id)
        if letter is None:
            print(f"{one_line(letter_id)}: there is no such letter", file=sys.stderr)
            unknown += 1
            continue
        accepted.append(letter_id)
        print(f"{letter_id}: {letter.reason}, {letter.status}")
    if yes:
        changed = summaries.mark_dead_letters(accepted, "accepted")
        print(f"{changed} of {len(accepted) + unknown} are now accepted")
    else:
        print(f"dry run: {len(accepted)} of {len(accepted) + unknown} would be accepted; --yes does it")
    return NOT_ALL if unknown else DONE
