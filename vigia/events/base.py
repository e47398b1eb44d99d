"""What all events share: how they are declared, keyed and identified.

A Struct normalises itself in `__post_init__`, so an event that exists is a valid one: its times are float epoch
seconds and its names are usable as keys.
"""

from typing import Protocol, runtime_checkable

import msgspec

DEFAULT_ENVIRONMENT = "production"
"""What an event without an environment is about."""

HISTORY_ENVIRONMENT = "history"
"""Marks backfilled deployments: they train models and are left out of delivery metrics."""


@runtime_checkable
class Event(Protocol):
    """Anything that travels on a topic."""

    @property
    def identity(self) -> str:
        """The event's id within its key, or empty for events that are counted as sent."""

    @property
    def occurred_at(self) -> float:
        """When it happened, in epoch seconds."""

    @property
    def weight(self) -> int:
        """How many events it counts for: 1, or the number of samples it packs."""


class EventStruct(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of the Structs: unknown fields are ignored (they stay in the raw log), missing and mistyped ones refused."""

    @property
    def weight(self) -> int:
        """One, for all but packed samples."""
        return 1


def set_frozen(struct: msgspec.Struct, field: str, value: object) -> None:
    """Set a field of a frozen Struct while it is being built; for `__post_init__` only."""
    msgspec.structs.force_setattr(struct, field, value)
