"""The summaries' database in dicts, with the same compare-and-swap, for tests of everything above it.

One call is one transaction: the event loop is single-threaded, so a call is never interrupted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from vigia.events.effects import RowRange, Timer, row_key
from vigia.events.summaries import Summary
from vigia.stores.base import DeadLetterRow, LaneId, LaneRow, Loaded, OutboxRow, StateRow, StepCommit, StepRow
from vigia.stores.errors import Conflict


class MemorySummaries:
    """Implements `vigia.stores.base.Summaries`. What it holds is public, so that tests can look and compare."""

    def __init__(self) -> None:
        self.lane_rows: dict[LaneId, LaneRow] = {}
        self.lane_topics: defaultdict[LaneId, dict[str, str]] = defaultdict(dict)
        self.states: defaultdict[LaneId, dict[str, StateRow]] = defaultdict(dict)
        self.seen: defaultdict[LaneId, dict[bytes, tuple[bytes, float]]] = defaultdict(dict)
        self.timers: defaultdict[LaneId, dict[tuple[str, str], float]] = defaultdict(dict)
        self.step_rows: defaultdict[LaneId, list[StepRow]] = defaultdict(list)
        self.waiting: defaultdict[LaneId, dict[int, OutboxRow]] = defaultdict(dict)
        self.summary_rows: dict[tuple[object, ...], Summary] = {}
        self.letters: dict[str, DeadLetterRow] = {}
        self.attempt_counts: dict[tuple[LaneId, str, int], int] = {}
        self.commits: list[StepCommit] = []

    def check(self) -> list[str]:
        return []

    def migrate(self) -> None:
        """There is no schema."""

    def acquire(self, lane: LaneId, owner: str, cluster_id: str, partition_count: int) -> LaneRow:
        row = self.lane_rows.get(lane)
        if row is None:
            row = LaneRow(
                lane=lane,
                version=1,
                step=0,
                cluster_id=cluster_id,
                partition_count=partition_count,
                offsets={},
                clock=0.0,
                outbox_next=0,
                counts={},
                owner=owner,
            )
        else:
            row = msgspec.structs.replace(row, version=row.version + 1, owner=owner)
        self.lane_rows[lane] = row
        return row

    def read_lane(self, lane: LaneId) -> LaneRow | None:
        return self.lane_rows.get(lane)

    def lanes(self) -> list[LaneRow]:
        return [row for _, row in sorted(self.lane_rows.items())]

    def topic_ids(self, lane: LaneId) -> dict[str, str]:
        return dict(self.lane_topics[lane])

    def keep_topic_ids(self, lane: LaneId, ids: Mapping[str, str]) -> None:
        self.lane_topics[lane].update(ids)

    def load(self, lane: LaneId, state_keys: Sequence[str], seen_ids: Sequence[bytes]) -> Loaded:
        states, seen = self.states[lane], self.seen[lane]
        return Loaded(
            {key: states[key] for key in state_keys if key in states},
            {one: seen[one][0] for one in seen_ids if one in seen},
        )

    def due(self, lane: LaneId, until: float, limit: int) -> list[Timer]:
        passed = sorted((due, kind, key) for (kind, key), due in self.timers[lane].items() if due <= until)
        return [Timer(kind, key, due) for due, kind, key in passed[:limit]]

    def next_due(self, lane: LaneId) -> float | None:
        return min(self.timers[lane].values(), default=None)

    def rows(self, keys: Iterable[tuple[type[Summary], tuple[object, ...]]]) -> dict[tuple[object, ...], Summary]:
        wanted = [(kind.__name__, *values) for kind, values in keys]
        return {key: self.summary_rows[key] for key in wanted if key in self.summary_rows}

    def rows_between(self, ranges: Sequence[RowRange]) -> list[list[Summary]]:
        return [rows_in(self.summary_rows, each) for each in ranges]

    def commit(self, commit: StepCommit) -> None:
        lane = commit.lane.lane
        if commit.lane.version <= commit.expected_version:
            raise ValueError("a commit raises the lane's version")
        row = self.lane_rows.get(lane)
        if row is None or row.version != commit.expected_version:
            raise Conflict(f"{lane} no longer has version {commit.expected_version}")
        self.commits.append(commit)
        self.lane_rows[lane] = commit.lane
        for state in commit.states:
            if state.body is None:
                self.states[lane].pop(state.key, None)
            else:
                self.states[lane][state.key] = state
        self.summary_rows.update((row_key(summary), summary) for summary in commit.summaries)
        for pair in commit.timers_cleared:
            self.timers[lane].pop(pair, None)
        self.timers[lane].update(((timer.kind, timer.key), timer.due) for timer in commit.timers_set)
        self.seen[lane].update((seen.seen_id, (seen.content, seen.seen_at)) for seen in commit.seen)
        if commit.forget_seen_before is not None:
            kept = {one: held for one, held in self.seen[lane].items() if held[1] >= commit.forget_seen_before}
            self.seen[lane] = kept
        self.waiting[lane].update((output.number, output) for output in commit.outbox)
        for letter in commit.dead_letters:
            self.letters.setdefault(letter.letter_id, letter)
        if commit.step is not None:
            self.step_rows[lane].append(commit.step)

    def outbox(self, lane: LaneId, limit: int) -> list[OutboxRow]:
        return [row for _, row in sorted(self.waiting[lane].items())][:limit]

    def delete_outbox(self, lane: LaneId, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.waiting[lane].pop(number, None)

    def attempts(self, lane: LaneId, topic: str, offset: int) -> int:
        return self.attempt_counts.get((lane, topic, offset), 0)

    def record_attempt(self, lane: LaneId, topic: str, offset: int, error: str) -> int:
        self.attempt_counts[lane, topic, offset] = self.attempts(lane, topic, offset) + 1
        return self.attempts(lane, topic, offset)

    def steps(self, lane: LaneId, after: int, limit: int) -> list[StepRow]:
        return [step for step in self.step_rows[lane] if step.sequence > after][:limit]

    def dead_letters(self, status: str | None, limit: int, after: str = "") -> list[DeadLetterRow]:
        letters = sorted(self.letters.values(), key=lambda letter: (letter.at, letter.letter_id))
        if after:
            letters = letters[letters.index(self.letters[after]) + 1 :]
        return [letter for letter in letters if status in {None, letter.status}][:limit]

    def dead_letter(self, letter_id: str) -> DeadLetterRow | None:
        return self.letters.get(letter_id)

    def mark_dead_letters(self, letter_ids: Sequence[str], status: str) -> int:
        changing = [one for one in letter_ids if one in self.letters and self.letters[one].status != status]
        for one in changing:
            self.letters[one] = msgspec.structs.replace(self.letters[one], status=status)
        return len(changing)

    def release(self, lane: LaneId) -> bool:
        row = self.lane_rows.get(lane)
        if row is None or not row.stopped:
            return False
        cleared = msgspec.structs.replace(row, stopped="", flood_seen=0, flood_invalid=0, flood_run=0)
        self.lane_rows[lane] = cleared
        return True

    def close(self) -> None:
        """Nothing is open."""

    def effects(self) -> dict[str, Any]:
        """All that models and intake have brought about, whoever owned the lanes: equal for equal histories."""
        return {
            "states": _filled(self.states),
            "rows": self.summary_rows,
            "timers": _filled(self.timers),
            "seen": _filled(self.seen),
            "letters": self.letters,
            "lanes": {
                lane: msgspec.structs.replace(row, version=0, owner="")
                for lane, row in self.lane_rows.items()
                if row.step
            },
        }

    def everything(self) -> dict[str, Any]:
        """The effects, how they were cut into steps, and what still waits to be published."""
        return self.effects() | {"steps": _filled(self.step_rows), "waiting": _filled(self.waiting)}


def _filled(held: "defaultdict[LaneId, Any]") -> dict[LaneId, Any]:
    return {lane: content for lane, content in held.items() if content}


def rows_in(rows: Mapping[tuple[object, ...], Summary], wanted: RowRange) -> list[Summary]:
    """Return the rows of a range among `rows`, which are under their `effects.row_key`, in order."""
    begins = (wanted.kind.__name__, *wanted.leading)
    places: list[tuple[Any, Any]] = [(key[-1], key) for key in rows if key[:-1] == begins]
    return [rows[key] for last, key in sorted(places) if wanted.first <= last < wanted.end]
