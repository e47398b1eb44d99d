"""Mutes that people send as events, kept in the state of their service beside those of the configuration.

Order does not matter: a lift may come before its mute, and an id that was taken keeps its first content. Whether a mute
still counts follows from the Kafka times of what is judged, so it cannot be seen when `pruned` takes it out of the
state, but for samples that wait for more than a week, or when hundreds are over. What would surprise: it is kept for a
day after its end, since series may lag behind, and windows are judged by their own time.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase

import msgspec

from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.samples import Series
from vigia.events.summaries import MuteSummary
from vigia.models.detectors.matching import labels_in_words, labels_match
from vigia.models.detectors.shared_dependency import NAME as SHARED_DEPENDENCY

DAY = 86_400.0
KEPT = DAY
"""Seconds of Kafka time for which a mute counts after its end."""

MOST_AHEAD = 90 * DAY
"""Seconds by which a mute may be told before it begins."""

MOST = 50
"""Most mutes of one service that are not over."""

MOST_OVER = 200
"""Most that are over and still kept; beyond that those that ended first go, so that nobody's mute is refused for them.
"""

WAITED = 7 * DAY
"""Seconds of Kafka time for which a mute that is over is kept for samples of its service that still wait to be read."""


class SaidMute(msgspec.Struct, frozen=True, array_like=True):
    """One mute as it is kept. `wanted` is None while only its lift has come; times are epoch seconds."""

    mute_id: str
    forget_at: float
    """Kafka time from which on it does not count."""
    wanted: Muted | None = None
    lifted: MuteLifted | None = None

    def is_over(self, time: float) -> bool:
        """Return whether it has ended at `time`; a lift alone has not, as its mute may come."""
        return self.wanted is not None and self.until <= time

    @property
    def until(self) -> float:
        """When it ends: its own end, or before that when it was lifted."""
        end = self.wanted.until if self.wanted is not None else 0.0
        return end if self.lifted is None else min(end, self.lifted.at)

    def holds(self, series: Series, detector: str, at: float, clock: float) -> bool:
        """Return whether problems of `detector` on `series` are muted at the event time `at`, told at `clock`."""
        wanted = self.wanted
        return (
            wanted is not None
            and clock < self.forget_at
            and wanted.since <= at < self.until
            and (not wanted.detectors or detector in wanted.detectors)
            and fnmatchcase(series.environment, wanted.environment)
            and fnmatchcase(series.metric, wanted.metric)
            and labels_match(series, wanted.labels)
        )


SaidMutes = dict[str, SaidMute]
"""The mutes of one service by their id."""


def take(event: Muted | MuteLifted, time: float, mutes: SaidMutes, longest: float, detectors: Collection[str]) -> None:
    """Take an event of Kafka time `time` into `mutes`; raises InvalidEvent for one that must not count.

    `longest` is how many seconds a mute may hold, `detectors` the names that there are.
    """
    before = mutes.get(event.mute_id)
    if before is not None and before.forget_at <= time:
        before = None
    running = sum(not each.is_over(time) and time < each.forget_at for each in mutes.values())
    if before is None and running >= MOST:
        detail = f"{event.service} has {MOST} mutes that are not over; lift some, or mute more with one"
        raise InvalidEvent(Reason.OVER_LIMIT, detail)
    if isinstance(event, MuteLifted):
        mutes[event.mute_id] = _lifted(event, time, before, longest)
        return
    if before is not None and before.wanted is not None:
        if before.wanted != event:
            raise InvalidEvent(Reason.CONFLICTING_ID, f"the mute {event.mute_id!r} is known with other content")
        return
    _check(event, time, longest, detectors)
    lifted = before.lifted if before is not None else None
    _drop_oldest(mutes, time)
    mutes[event.mute_id] = SaidMute(event.mute_id, max(event.until, time) + KEPT, event, lifted)


def is_muted(mutes: SaidMutes, series: Series, at: float, clock: float, detector: str) -> bool:
    """Return whether one of them holds; see `SaidMute.holds`."""
    return any(mute.holds(series, detector, at, clock) for mute in mutes.values())


def row_of(service: str, mute: SaidMute) -> MuteSummary | None:
    """Return the row of a mute; None while only its lift has come."""
    wanted, lifted = mute.wanted, mute.lifted
    if wanted is None:
        return None
    return MuteSummary(
        service=service,
        mute_id=mute.mute_id,
        environment=wanted.environment,
        metric=wanted.metric,
        labels=labels_in_words(wanted.labels),
        detectors=",".join(wanted.detectors),
        since=wanted.since,
        until=mute.until,
        by=wanted.by,
        reason=wanted.reason,
        lifted_by=lifted.by if lifted is not None and lifted.at < wanted.until else "",
    )


def pruned(mutes: SaidMutes, arrival: float, clock: float) -> SaidMutes:
    """Return those that may still count at the Kafka time `clock`, when samples of the service have come to `arrival`.

    The lane's clock alone does not tell: mutes of now may be read while samples of last week wait.
    """
    return {name: each for name, each in mutes.items() if arrival < each.forget_at and clock < each.forget_at + WAITED}


def prune_at(mutes: SaidMutes, clock: float) -> float | None:
    """Return the Kafka time at which to look next for mutes that no longer count; None when there are none at all."""
    nexts = [
        each.forget_at if clock < each.forget_at else min(clock + DAY, each.forget_at + WAITED)
        for each in mutes.values()
    ]
    return min(nexts, default=None)


def _drop_oldest(mutes: SaidMutes, time: float) -> None:
    over = sorted((each.until, name) for name, each in mutes.items() if each.is_over(time))
    for _, name in over[: max(0, len(over) - MOST_OVER)]:
        del mutes[name]


def _lifted(event: MuteLifted, time: float, before: SaidMute | None, longest: float) -> SaidMute:
    if before is None:
        # its mute can come as long as it could be told, and hold as long as any
        return SaidMute(event.mute_id, time + longest + KEPT, None, event)
    earlier = event if before.lifted is None else min(before.lifted, event, key=_order)
    return msgspec.structs.replace(before, lifted=earlier)


def _order(lifted: MuteLifted) -> tuple[float, str, str]:
    return lifted.at, lifted.by, lifted.reason


def _check(event: Muted, time: float, longest: float, detectors: Collection[str]) -> None:
    if event.until - event.since > longest:
        detail = (
            f"the mute is {(event.until - event.since) / DAY:.1f} days long; at most {longest / DAY:g} are allowed: "
            "a mute that is forgotten hides outages"
        )
        raise InvalidEvent(Reason.BAD_VALUE, detail)
    if event.since > time + MOST_AHEAD:
        raise InvalidEvent(Reason.BAD_VALUE, f"the mute begins more than {MOST_AHEAD / DAY:g} days after its arrival")
    if event.until <= time - KEPT:
        raise InvalidEvent(Reason.TOO_OLD, "the mute was over more than a day before it arrived")
    if SHARED_DEPENDENCY in event.detectors:
        detail = f"no mute by event reaches {SHARED_DEPENDENCY}: mute it in config/detectors.toml"
        raise InvalidEvent(Reason.BAD_VALUE, detail)
    unknown = sorted(set(event.detectors) - set(detectors))
    if unknown:
        raise InvalidEvent(Reason.BAD_VALUE, f"there is no detector {unknown[0][:200]!r}")
