"""Two rows of one table held against each other, and where exactly they differ."""

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any, NamedTuple

import msgspec

from scripts.rebuilding.tables import Compared
from vigia.events.effects import Model

SHOWN = 160
"""Characters of a value that are shown."""

ABSENT = "(absent)"


Row = tuple[Any, ...]
Found = tuple[str, Any, Any]
"""A path inside a field, and the values that differ there."""


class Difference(NamedTuple):
    """What differs: the table, the row's key, the field (with the path inside it), and both values as text."""

    table: str
    key: str
    field: str
    live: str
    rebuilt: str


class Comparer:
    """Compares rows; `models` read the states of each agent, `tolerance` is relative and for computed floats."""

    def __init__(self, models: Mapping[str, Model[Any, Any]], tolerance: float) -> None:
        self._models = models
        self._tolerance = tolerance

    def rows(self, table: Compared, live: Row | None, rebuilt: Row | None) -> Iterator[Difference]:
        """Return the differences between two rows with the same key; None is a row that is not there."""
        row = live if live is not None else rebuilt
        assert row is not None, table.name  # noqa: S101 - nobody compares nothing with nothing
        key = " ".join(shown(row[place]) for place in table.key)
        if live is None or rebuilt is None:
            there = "(present)"
            yield Difference(
                table.name, key, "row", ABSENT if live is None else there, ABSENT if rebuilt is None else there
            )
            return
        for place, name in enumerate(table.columns):
            one, other = live[place], rebuilt[place]
            if one == other or place in table.ignored:
                continue
            if table.name == "states" and name == "body":
                found = self._states(table, live, rebuilt)
            else:
                found = self._values(table, place, one, other)
            for path, left, right in found:
                yield Difference(table.name, key, name + path, *shown_apart(left, right))

    def _values(self, table: Compared, place: int, one: Any, other: Any) -> Iterator[Found]:
        if place in table.tolerant and one is not None and other is not None:
            if not isclose(one, other, rel_tol=self._tolerance, abs_tol=0.0):
                yield "", one, other
        elif place in table.figures:
            yield from walk(msgspec.json.decode(one), msgspec.json.decode(other))
        else:
            yield "", one, other

    def _states(self, table: Compared, live: Row, rebuilt: Row) -> Iterator[Found]:
        """Compare two states as their model reads them: what it makes the same of is the same."""
        try:
            left, right = self._as_written_now(table, live), self._as_written_now(table, rebuilt)
        except Exception as error:  # noqa: BLE001 - whatever a model says of bytes that it cannot read
            place = table.columns.index("body")
            yield f" (cannot be read: {str(error)[:SHOWN]})", live[place], rebuilt[place]
            return
        yield from walk(left, right)

    def _as_written_now(self, table: Compared, row: Row) -> bytes:
        agent, key, schema, body = (row[table.columns.index(name)] for name in ("agent", "key", "schema", "body"))
        model = self._models[agent]
        return model.dump(key, model.load(key, schema, body))


def walk(one: Any, other: Any, path: str = "") -> Iterator[Found]:
    """Return the paths inside two plain values at which they differ; bytes that hold msgpack are looked into."""
    if isinstance(one, bytes) and isinstance(other, bytes):
        inner = _unpacked(one), _unpacked(other)
        if one == other:
            return
        if all(isinstance(each, dict | list) for each in inner) and inner[0] != inner[1]:
            one, other = inner
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from walk(one.get(key, ABSENT), other.get(key, ABSENT), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from walk(left, right, f"{path}[{index}]")
    elif one != other or type(one) is not type(other):
        yield path, one, other


def _unpacked(body: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(body, strict=False)
    except (msgspec.DecodeError, ValueError, TypeError):
        return None


def shown(value: Any) -> str:
    """Return a value as a line that a person can read, cut where it is long."""
    return _cut(_as_text(value), 0)


def shown_apart(one: Any, other: Any) -> tuple[str, str]:
    """Return two values as lines; long ones from shortly before they begin to differ."""
    left, right = _as_text(one), _as_text(other)
    alike = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = alike - SHOWN // 4 if max(len(left), len(right)) > SHOWN and alike > SHOWN // 2 else 0
    return _cut(left, start), _cut(right, start)


def _as_text(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else value if isinstance(value, str) else repr(value)
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _cut(text: str, start: int) -> str:
    part = text[start : start + SHOWN]
    note = f" ({len(text)} characters)" if len(part) < len(text) else ""
    return f"{'...' if start else ''}{part}{'...' if start + SHOWN < len(text) else ''}{note}"
