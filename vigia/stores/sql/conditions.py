"""Conditions that several tables share."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Table

from vigia.stores.base import LaneId

T = TypeVar("T")

CHUNK = 1_000
"""Most keys one statement names."""


def in_lane(table: Table, lane: LaneId) -> ColumnElement[bool]:
    """Return the condition that a row belongs to `lane`."""
    return (table.c.agent == lane.agent) & (table.c.partition == lane.partition)


def chunks(keys: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut `keys` into pieces of at most `size`."""
    return (keys[start : start + size] for start in range(0, len(keys), size))
