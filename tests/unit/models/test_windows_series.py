"""Each series has its own watermark: what one sends closes nothing of another, unless that has been silent for long."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent, Tick
from vigia.events.samples import Sample
from vigia.events.summaries import SeriesSummary, WindowSummary
from vigia.models.detectors.finder import Watch
from vigia.models.metrics import MetricsConfig, MetricsModel

YEAR = 365 * 86_400.0
LATENESS, IDLE = 5.0, 300.0
LATENESSES = st.sampled_from([0.0, 0.1, 5.0, 150.0])
IDLES = st.sampled_from([0.0, 45.0, 120.0, 300.0])


def model(**settings):
    return MetricsModel(MetricsConfig(**settings))


def sent(metric, *offsets, kafka=0.0):
    """One message: a single sample, or several packed."""
    if len(offsets) == 1:
        return Sent(Sample(service="shop", metric=metric, ts=START + offsets[0], value=1.0), START + kafka)
    points = [(START + offset, 1.0) for offset in offsets]
    return Sent(Sample(service="shop", metric=metric, points=points), START + kafka)


def windows(lane):
    """(metric, offset of the start) -> (count, late) of every row."""
    known = [spot.held.series for state in lane.states.values() for spot in state.series]
    known += [row for row in lane.rows.values() if isinstance(row, SeriesSummary)]
    metrics = {series.series_id: series.metric for series in known}
    return {
        (metrics[row.series_id], int(row.start - START)): (row.count, row.late)
        for row in lane.rows.values()
        if isinstance(row, WindowSummary)
    }


def offsets_of(message):
    event = message.event
    return [ts - START for ts, _ in event.points or [(event.ts, event.value)]]


# ------------------------------------------------------------------------------------------- nothing in order is late


@dataclass
class Stream:
    """Samples of one series still to be sent, in order."""

    metric: str
    offsets: list[float]

    def pack(self, size: int, until: float) -> Sent:
        """Take the next message: up to `size` points, and none but the first beyond `until`."""
        number = max(1, sum(offset <= until for offset in self.offsets[:size]))
        taken, self.offsets = self.offsets[:number], self.offsets[number:]
        return sent(self.metric, *taken)


def interleaved(streams: Sequence[Stream], choices: Iterator[tuple[int, int]]) -> Iterator[Sent]:
    """Yield packs in any interleaving in which no series that has more to send falls behind by more than IDLE."""
    while left := [stream for stream in streams if stream.offsets]:
        which, size = next(choices)
        chosen = left[which % len(left)]
        others = [stream.offsets[0] for stream in left if stream is not chosen]
        limit = min(others, default=float("inf")) + IDLE
        if chosen.offsets[0] > limit:
            chosen = min(left, key=lambda stream: stream.offsets[0])
            limit = min((stream.offsets[0] for stream in left if stream is not chosen), default=limit) + IDLE
        yield chosen.pack(size, limit)


def stream_of(metric):
    """At any pace: many samples a second, one a minute, one an hour, with gaps."""
    gaps = st.sampled_from([0.0, 0.5, 1.0, 10.0, 60.0, 61.0, 200.0, 3_600.0]) | st.floats(0.0, 400.0)
    steady = st.tuples(gaps, st.integers(1, 25)).map(lambda drawn: [drawn[0]] * drawn[1])
    return st.tuples(st.floats(0.0, 900.0), st.lists(gaps, max_size=12) | steady).map(
        lambda drawn: Stream(metric, [drawn[0] + sum(drawn[1][:number]) for number in range(len(drawn[1]) + 1)])
    )


@given(
    streams=st.tuples(*map(stream_of, ("latency", "error_rate", "load"))),
    choices=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=30),
    cuts=st.sets(st.integers(0, 80)),
    reload=st.booleans(),
)
def test_packs_of_any_span_in_any_interleaving_are_never_late(streams, choices, cuts, reload):
    expected: defaultdict[tuple[str, int], int] = defaultdict(int)
    for stream in streams:
        for offset in stream.offsets:
            expected[stream.metric, int((START + offset) // 60 * 60 - START)] += 1
    script = list(interleaved(streams, iter(choices * 100)))
    lane = Lane(model(), reload).run([*script, Tick(START + YEAR)], cuts)
    assert windows(lane) == {key: (count, 0) for key, count in expected.items()}
    assert lane.counts["windows_closed"] == len(expected)


# ---------------------------------------------------------------------------------------- the rules, read plainly


@dataclass
class PlainSeries:
    latest: float = float("-inf")
    closed: float = float("-inf")
    begun: float = 0.0
    """The window of its service when this series last began one."""
    open: dict[int, int] = field(default_factory=dict)
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)

    def close(self, start: int) -> None:
        assert start not in self.rows
        self.rows[start] = (self.open.pop(start), 0)


def read_plainly(script, lateness, idle):
    """The rows by the rules as they are told: every window of every series is looked at after every message."""
    every: defaultdict[str, PlainSeries] = defaultdict(PlainSeries)
    now = float("-inf")
    for message in script:
        one, stamps = every[message.event.metric], [START + offset for offset in offsets_of(message)]
        now, one.latest = max(now, *stamps), max(one.latest, *stamps)
        for ts in stamps:
            start = int(ts // 60) * 60
            if start in one.open:
                one.open[start] += 1
            elif start + 60 <= one.closed:
                count, late = one.rows.get(start, (0, 0))
                one.rows[start] = (count + 1, late + 1)
            else:
                one.open[start] = 1
                one.begun = now // 60 * 60
        while max(one.closed, START - 60_000) + 60 + lateness <= one.latest:
            one.closed = max(one.closed, START - 60_000) + 60
        for start in [start for start in one.open if start + 60 <= one.closed]:
            one.close(start)
        for each in every.values():
            if each.open and max(*each.open, each.begun) + 60 + lateness + idle <= now:
                each.closed = max(each.closed, max(each.open) + 60)
                for start in list(each.open):
                    each.close(start)
    return {
        (metric, int(start - START)): row
        for metric, each in every.items()
        for start, row in [*each.rows.items(), *((start, (count, 0)) for start, count in each.open.items())]
    }


any_offset = st.integers(-20, 25).map(lambda minute: 60.0 * minute) | st.floats(-1_200.0, 1_500.0)
near = st.integers(-100, 100).map(float)
any_message = st.tuples(st.sampled_from(["latency", "error_rate", "load"]), any_offset, st.lists(near, max_size=4)).map(
    lambda drawn: sent(drawn[0], drawn[1], *(drawn[1] + each for each in drawn[2]))
)


@given(
    script=st.lists(any_message, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    lateness=LATENESSES,
    idle=IDLES,
    reload=st.booleans(),
)
def test_what_is_in_time_and_what_is_late_follows_the_rules_read_plainly(script, cuts, lateness, idle, reload):
    lane = Lane(model(lateness=lateness, series_idle=idle), reload).run(script, cuts)
    late = lane.counts["late_samples"]
    lane.run([Tick(START + YEAR)])
    expected = read_plainly(script, lateness, idle)
    assert windows(lane) == expected
    assert late == sum(row[1] for row in expected.values())


class Watcher:
    """In the place of the detectors: keeps what they would be given, as (metric, start, count)."""

    def __init__(self):
        self.seen = []

    def watch(self, series):
        return Watch((), sketch=False, kept=True)

    def look(self, looked, window, around, clock, changes):
        self.seen.append((looked.series.metric, int(window.start - START), window.count))


def watched_by(watcher, **settings):
    watched = model(**settings)
    watched._finder = watcher
    return watched


@given(
    script=st.lists(any_message | st.integers(0, 500), max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    lateness=LATENESSES,
    idle=IDLES,
)
def test_detectors_see_the_windows_of_a_series_once_in_order_and_complete(script, cuts, lateness, idle):
    watcher = Watcher()
    clock, steps = START, []
    for item in script:
        clock += item if isinstance(item, int) else 0.0
        steps.append(Tick(clock) if isinstance(item, int) else Sent(item.event, clock))
    watched = watched_by(watcher, lateness=lateness, series_idle=idle)
    lane = Lane(watched).run([*steps, Tick(START + YEAR)], cuts)
    for metric in {metric for metric, _, _ in watcher.seen}:
        starts = [start for name, start, _ in watcher.seen if name == metric]
        assert all(earlier < later for earlier, later in pairwise(starts))
    in_time = {key: count - late for key, (count, late) in windows(lane).items() if count > late}
    assert in_time == {(metric, start): count for metric, start, count in watcher.seen}


@given(
    script=st.lists(any_message, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    lateness=LATENESSES,
    idle=IDLES,
)
def test_the_hot_loop_does_what_packs_of_one_point_do(script, cuts, lateness, idle):
    singles = [sent(message.event.metric, offset) for message in script for offset in offsets_of(message)]
    packs = [
        Sent(Sample(service="shop", metric=each.event.metric, points=[(each.event.ts, each.event.value)]), each.time)
        for each in singles
    ]
    settings = {"lateness": lateness, "series_idle": idle}
    hot, packed = (Lane(model(**settings), reload=False).run(each, cuts) for each in (singles, packs))
    assert hot.seen() == packed.seen()


@given(
    script=st.lists(any_message, max_size=40),
    lateness=LATENESSES,
    idle=IDLES,
)
def test_a_series_holds_few_windows_open(script, lateness, idle):
    lane = Lane(model(lateness=lateness, series_idle=idle), reload=False)
    for message in script:
        lane.run([message])
        for spot in lane.states["shop"].series:
            assert len(spot.held.windows) <= (lateness + 60) // 60 + 1
