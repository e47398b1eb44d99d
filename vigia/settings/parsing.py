"""From the text of a variable or the value of a TOML key to the value of a setting, checked.

Every function raises ValueError with a sentence that says what would be right; the caller adds where it stood.
"""

import math
import re
from pathlib import Path
from typing import Any

from vigia.settings.secret import Secret, Url, masked_url
from vigia.settings.table import Setting

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_DURATION = re.compile(r"(?P<number>[0-9][0-9_]*(\.[0-9]+)?)\s*(?P<unit>ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse(row: Setting, raw: object) -> Any:
    """Return the value of setting `row` from `raw`: text from the environment, or a TOML value."""
    value = _of_kind(row, raw)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_bounds(row, value)
    return value


def shown(row: Setting, raw: object) -> str:
    """Return `raw` as it may appear in a message: not at all for secrets, without the password for addresses."""
    if row.kind is Secret:
        return "(secret)"
    return repr(masked_url(raw)) if row.kind is Url and isinstance(raw, str) else repr(raw)


def duration_text(seconds: float) -> str:
    """Return a duration in the largest unit that divides it: what `parse` reads back.

    >>> duration_text(604800.0), duration_text(90.0), duration_text(0.5), duration_text(0.0)
    ('7d', '90s', '0.5s', '0s')
    """
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def _of_kind(row: Setting, raw: object) -> Any:
    kind = row.kind
    if row.choices:
        if raw not in row.choices:
            raise ValueError(f"must be one of {', '.join(row.choices)}")
        return raw
    if kind is bool:
        return _boolean(raw)
    if kind is int:
        return _integer(raw)
    if kind is float:
        return _duration(raw) if row.meta.unit == "s" else _number(raw)
    if kind == tuple[str, ...]:
        return _names(raw)
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004 - all refusals are ValueErrors
    if "\0" in raw:
        raise ValueError("must not contain a null character")
    return kind(raw) if kind in {Secret, Url, Path} else raw


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _BOOLEANS:
        return _BOOLEANS[raw.lower()]
    raise ValueError("must be true or false")


def _integer(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9][0-9_]*", raw, re.ASCII):
        return int(raw)
    raise ValueError("must be a whole number")


def _number(raw: object) -> float:
    if isinstance(raw, (int, float, str)) and not isinstance(raw, bool):
        try:
            number = float(raw)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError("must be a finite number")


def _duration(raw: object) -> float:
    if isinstance(raw, str) and (match := _DURATION.fullmatch(raw.strip())):
        return float(match["number"].replace("_", "")) * _UNITS[match["unit"]]
    try:
        return _number(raw)
    except ValueError:
        raise ValueError("must be a number of seconds, or a number with its unit: 500ms, 90s, 15m, 2h, 7d") from None


def _names(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
        return tuple(raw)
    raise ValueError("must be a list of names (in a variable: joined by commas)")


def _check_bounds(row: Setting, value: float) -> None:
    low, high = row.meta.minimum, row.meta.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        unit = f" {row.meta.unit}" if row.meta.unit else ""
        raise ValueError(f"must lie between {low:g} and {high:g}{unit}")
