"""Mutes by event: a person keeps problems of one service from opening for a while, and may lift that again.

They travel on a topic of their own, so that who may send samples need not be able to silence them. A mute says nothing
about windows that were judged before it came.
"""

import msgspec

from vigia.events.base import EventStruct, set_frozen
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import check_name, check_optional_name
from vigia.events.samples import MAX_LABELS
from vigia.events.times import Time, epoch_seconds

MAX_REASON = 1_000
"""Longest reason, in characters: it is kept with the state of the service."""

MAX_DETECTORS = 20
"""Most detectors that one mute may name."""


class Muted(EventStruct, tag_field="type", tag="mute", frozen=True, kw_only=True, rename={"since": "from"}):
    """No problems of a service open from `from` to before `until`.

    `mute_id` is chosen by the sender and never used again: it is what lifts the mute. `environment`, `metric` and the
    values of `labels` are patterns with * for any characters; without `detectors` it is about all of them but
    `shared_dependency`, which no mute by event reaches. `by` is who wants it, `reason` why.
    """

    mute_id: str
    service: str
    since: Time
    until: Time
    at: Time
    by: str
    reason: str
    environment: str = "*"
    metric: str = "*"
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    detectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_who(self)
        check_name(self.environment, "environment")
        check_name(self.metric, "metric")
        if len(self.labels) > MAX_LABELS:
            raise InvalidEvent(Reason.TOO_LARGE, f"the mute names {len(self.labels)} labels; at most {MAX_LABELS}")
        for name, pattern in self.labels.items():
            check_name(name, "label name")
            check_optional_name(pattern, f"label {name}")
        if len(self.detectors) > MAX_DETECTORS:
            detail = f"the mute names {len(self.detectors)} detectors; at most {MAX_DETECTORS}"
            raise InvalidEvent(Reason.TOO_LARGE, detail)
        for detector in self.detectors:
            check_name(detector, "detector")
        for field, name in (("since", "from"), ("until", "until"), ("at", "at")):
            set_frozen(self, field, epoch_seconds(getattr(self, field), name))
        if self.since >= self.until:
            raise InvalidEvent(Reason.BAD_VALUE, "`from` must be before `until`")

    @property
    def identity(self) -> str:
        """One event a mute: with other content it is refused."""
        return derive_id("mute", self.mute_id)

    @property
    def occurred_at(self) -> float:
        """When it was said."""
        return self.at


class MuteLifted(EventStruct, tag_field="type", tag="mute.lifted", frozen=True, kw_only=True):
    """A mute ends at `at`, or never begins. It may come before its mute."""

    mute_id: str
    service: str
    at: Time
    by: str
    reason: str

    def __post_init__(self) -> None:
        _check_who(self)
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """One event a person and time."""
        return derive_id("mute-lifted", self.mute_id, self.by, repr(self.at))

    @property
    def occurred_at(self) -> float:
        """When it was lifted."""
        return self.at


def _check_who(event: Muted | MuteLifted) -> None:
    for field in ("mute_id", "service", "by"):
        check_name(getattr(event, field), field)
    if not event.reason.strip():
        raise InvalidEvent(Reason.MISSING_FIELD, "`reason` is empty: say why")
    if len(event.reason) > MAX_REASON:
        detail = f"reason has {len(event.reason)} characters; at most {MAX_REASON} are allowed"
        raise InvalidEvent(Reason.TOO_LARGE, detail)
