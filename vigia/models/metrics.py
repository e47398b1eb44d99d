"""The model of the metrics agent: samples and mutes in, closed windows and problems out. One state a service.

`apply` is the project's hottest loop. It takes the plain case itself (a single sample of its series' newest window: one
lookup, one append) and leaves everything else to `Intake`, which could take every case alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from vigia.events.effects import Changes, States, Timer
from vigia.events.invalid import InvalidEvent
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.samples import PlainSample
from vigia.events.summaries import Summary
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.finder import Finder
from vigia.models.detectors.said import DAY, SaidMutes, prune_at, pruned, row_of, take
from vigia.models.windows.closing import GONE, LIMIT_OVER, Closer
from vigia.models.windows.config import WindowConfig
from vigia.models.windows.intake import Intake
from vigia.models.windows.rolling import ROLL, Roller
from vigia.models.windows.rows import merged_rows
from vigia.models.windows.state import ServiceState, dump_service, load_service

MUTES_END = "mutes-end"
"""Kind of the timers that take out of the state what was muted long ago; their key is the service."""

MetricsEvent = PlainSample | Muted | MuteLifted


@dataclass(frozen=True)
class MetricsConfig(WindowConfig):
    """The windows' rules and the detectors' limits."""

    detectors: DetectorConfig = field(default_factory=DetectorConfig)


class MetricsModel:
    """Windows over samples, and the detectors on them. The key of a state is the service.

    >>> model, states, changes = MetricsModel(MetricsConfig()), States[ServiceState]({"shop": None}), Changes()
    >>> samples = [PlainSample(service="shop", metric="latency", ts=ts, value=1.5) for ts in (30.0, 40.0, 65.0)]
    >>> model.apply(samples, [100.0, 100.0, 101.0], states, changes)
    >>> [(row.start, row.count, row.sum) for row in changes.summaries.values() if hasattr(row, "start")]
    [(0, 2, 3.0)]
    """

    name = "metrics"
    schema = 4

    def __init__(self, config: MetricsConfig) -> None:
        self._config = config
        self._finder = Finder(config.detectors)

    def keys(self, events: Sequence[MetricsEvent]) -> set[str]:
        return {event.service for event in events}

    def timer_keys(self, timer: Timer) -> tuple[str, ...]:
        return (timer.key,)

    def record_key(self, state_key: str) -> str:
        return state_key

    def load(self, key: str, schema: int, body: bytes) -> ServiceState:
        if not self.schema - 1 <= schema <= self.schema:
            known = f"{self.schema - 1} and {self.schema}"
            raise ValueError(f"the state of {key} has schema {schema}; the metrics model reads {known}")
        return load_service(body)

    def dump(self, key: str, state: ServiceState) -> bytes:  # noqa: ARG002 - the key is not part of the stored form
        return dump_service(state)

    def dump_previous(self, key: str, state: ServiceState) -> bytes:  # noqa: ARG002 - as above
        """Return what the release before (schema 3) reads: the same, as it ignores what follows the fields it knows.

        It knows no mutes by event. What it has rewritten comes back without them: whoever has muted something while an
        upgrade ran must look whether it holds.
        """
        return dump_service(state)

    def apply(
        self, events: Sequence[MetricsEvent], times: Sequence[float], states: States[ServiceState], changes: Changes
    ) -> None:
        """Apply events in order; all are of one topic, so that nobody asks of each sample whether it is one."""
        if events and not isinstance(events[0], PlainSample):
            self._apply_mutes(cast("Sequence[Muted | MuteLifted]", events), times, states, changes)
        else:
            self._apply_samples(cast("Sequence[PlainSample]", events), times, states, changes)

    def _apply_samples(
        self, events: Sequence[PlainSample], times: Sequence[float], states: States[ServiceState], changes: Changes
    ) -> None:
        """Apply samples in order; all of an event's points are applied before its series' watermark moves."""
        roller = Roller(self._config, changes)
        closer = Closer(self._config, self._finder, roller, changes)
        intake = Intake(self._config, closer, roller, changes)
        touched = _Touched(states)
        for index, (event, time) in enumerate(zip(events, times, strict=True)):
            state = touched[event.service]
            labels = event.labels
            if labels is None:
                spot = state.names.get((event.environment, event.metric))
            else:
                spot = state.names.get((event.environment, event.metric, *labels.items()))
            ts = event.ts
            if spot is not None and ts is not None and spot.low <= ts < spot.high:
                # a sample with a time has a value
                spot.values.append(event.value)  # type: ignore[arg-type]
                if spot.times is not None:
                    spot.times.append(ts)
                if time > state.arrival:  # noqa: PLR1730 - a call of max() costs more than the loop has
                    state.arrival = time
                if ts > state.latest:
                    state.latest = ts
                    if ts >= state.check_at:
                        closer.close_silent(state, time)
                continue
            intake.take(index, event, time, state, spot)
        closer.settle()
        intake.settle(touched.values())
        for service, state in touched.items():
            # a service whose every sample was refused gets no state
            if state.series or state.forgotten:
                states.put(service, state)

    def _apply_mutes(
        self,
        events: Sequence[Muted | MuteLifted],
        times: Sequence[float],
        states: States[ServiceState],
        changes: Changes,
    ) -> None:
        """Windows that are closed already were judged without them."""
        detectors = self._config.detectors
        for index, (event, time) in enumerate(zip(events, times, strict=True)):
            state = states.get(event.service) or ServiceState()
            try:
                take(event, time, state.mutes, detectors.mute_at_most_days * DAY, detectors.names)
            except InvalidEvent as error:
                changes.reject(index, error.reason, error.detail)
                continue
            row = row_of(event.service, state.mutes[event.mute_id])
            if row is not None:
                changes.write(row)
            _let_end(event.service, state.mutes, time, changes)
            states.put(event.service, state)

    def fire(self, timer: Timer, clock: float, states: States[ServiceState], changes: Changes) -> None:
        """Roll up the windows of a service, close what is over when it fell silent, or forget mutes that are over."""
        state = states.get(timer.key)
        if state is None:
            return
        if timer.kind == MUTES_END:
            state.mutes = pruned(state.mutes, state.arrival, clock)
            _let_end(timer.key, state.mutes, clock, changes)
            states.put(timer.key, state if state.series or state.forgotten or state.mutes else None)
            return
        roller = Roller(self._config, changes)
        if timer.kind == ROLL:
            roller.fire(timer.key, state, clock)
        else:
            closer = Closer(self._config, self._finder, roller, changes)
            fires = {LIMIT_OVER: closer.end_limit, GONE: closer.give_up}
            fires.get(timer.kind, closer.fire)(timer.key, state, clock)
            closer.settle()
        states.put(timer.key, state)

    def merge(self, row: Summary, partial: Summary) -> Summary:
        return merged_rows(row, partial)


def _let_end(service: str, mutes: SaidMutes, clock: float, changes: Changes) -> None:
    due = prune_at(mutes, clock)
    if due is not None:
        changes.set_timer(MUTES_END, service, due)


class _Touched(dict[str, ServiceState]):
    """The states that a batch touches, looked up once each."""

    def __init__(self, states: States[ServiceState]) -> None:
        super().__init__()
        self._states = states

    def __missing__(self, service: str) -> ServiceState:
        state = self[service] = self._states.get(service) or ServiceState()
        return state
