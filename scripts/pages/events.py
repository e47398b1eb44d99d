"""`docs/events.md`: the event types of each topic, their fields, and an example of each.

Fields and types come from the Structs, their meaning from the docstrings of class and field.
"""

import ast
import inspect
import json
import sys
import types
import typing
from enum import StrEnum
from itertools import pairwise
from typing import Any

import msgspec

from scripts.pages.examples import EXAMPLES
from scripts.pages.markdown import anchor, code, page, table
from vigia.events.base import DEFAULT_ENVIRONMENT
from vigia.events.decoding import MAX_EVENTS
from vigia.events.names import MAX_NAME, MAX_TEXT
from vigia.topics import TOPICS

INTRODUCTION = f"""\
A record holds one event, or a JSON array of at most {MAX_EVENTS:,} events, in UTF-8. Decoding is strict: a field of
another type, or a required one that is missing, refuses the event (see [dead letters](dead-letters.md)); fields
that are not known are ignored and stay in the raw log. An absent field has its default: leave out what is not
known.

- **time**: RFC 3339 text with an offset (`2026-01-31T12:00:00Z`) or a number of epoch seconds. Milliseconds are
  refused.
- **number**: finite. NaN and infinity are refused.
- names (services, metrics, ids, people, ...) have 1 to {MAX_NAME} visible characters without space around them;
  titles, reasons and links have at most {MAX_TEXT:,} characters.
- `environment` is `{DEFAULT_ENVIRONMENT}` when it is absent.
- `event_id`: the sender's own id of this event. Sent again under the same id it counts once; with other content it
  is refused. Where it is absent an id is derived from what the event says; samples without one are counted as sent."""

_SIMPLE = {str: "text", float: "number", int: "whole number", bool: "truth", bytes: "bytes"}


def events_page() -> str:
    """Return `docs/events.md`."""
    parts = [INTRODUCTION]
    told: set[type] = set()
    for topic in TOPICS:
        if not topic.types:
            continue
        parts += [f"## On {topic.name}", f"{topic.purpose} The key is the event's {code(topic.key)}."]
        for kind in topic.types:
            if kind in told:
                parts.append(f"[{kind.__name__}](#{anchor(kind.__name__)}): as above.")
                continue
            parts += _struct(kind, told)
            example = json.dumps(EXAMPLES[kind], indent=2)
            parts.append(f"```json\n{example}\n```")
    return page("Events", *parts)


def _struct(kind: type, told: set[type]) -> list[str]:
    """Return heading, meaning and fields of a Struct, followed by the Structs within it that were not told yet."""
    told.add(kind)
    fields = msgspec.structs.fields(kind)
    hints = typing.get_type_hints(kind)
    meanings = field_meanings(kind)
    tag = kind.__struct_config__.tag if isinstance(kind, msgspec.StructMeta) else None
    rows = [(code("type"), code(json.dumps(tag)), "required", "")] if tag else []
    rows += [
        (code(each.encode_name), _type(hints[each.name]), _default(each), meanings.get(each.name, ""))
        for each in fields
    ]
    parts = [f"### {kind.__name__}", inspect.cleandoc(kind.__doc__ or "")]
    parts.append(table(("field", "type", "default", "meaning"), rows))
    for inner in _structs_in(hints):
        if inner not in told:
            parts += _struct(inner, told)
    return parts


def field_meanings(kind: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class and of its bases, which Python itself does not keep."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not base.__module__.startswith("vigia."):
            continue
        tree = ast.parse(inspect.getsource(sys.modules[base.__module__]))
        body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == base.__name__)
        for field, after in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                meanings[field.target.id] = inspect.cleandoc(str(after.value.value))
    return meanings


def _type(hint: Any) -> str:
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        # the only union of number and text is a time
        is_time = {float, str} <= set(arguments)
        text = "time" if is_time else " or ".join(_type(each) for each in arguments if each is not types.NoneType)
    elif origin is typing.Literal:
        text = " or ".join(code(json.dumps(value)) for value in arguments)
    elif origin is list:
        text = f"list of {_type(arguments[0])}"
    elif origin is dict:
        text = f"object of {_type(arguments[1])}"
    elif origin is tuple and arguments[1:] == (...,):
        text = f"list of {_type(arguments[0])}"
    elif origin is tuple:
        text = f"[{', '.join(map(_type, arguments))}]"
    elif isinstance(hint, msgspec.StructMeta):
        text = f"[{hint.__name__}](#{anchor(hint.__name__)})"
    elif issubclass(hint, StrEnum):
        text = " or ".join(code(json.dumps(value)) for value in hint)
    else:
        text = _SIMPLE[hint]
    return text


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "empty"
    return "" if field.default in (None, "") else code(json.dumps(msgspec.to_builtins(field.default)))


def _structs_in(hints: dict[str, Any]) -> list[type]:
    found: list[type] = []
    waiting = list(hints.values())
    while waiting:
        hint = waiting.pop(0)
        if isinstance(hint, msgspec.StructMeta):
            found.append(hint)
        waiting += typing.get_args(hint)
    return found
