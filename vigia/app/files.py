"""Reads the files that the settings name: catalog, detectors, policy, who may label what, delivery metrics.

Without its file, each is as by default. One that cannot be used raises Unusable, which names it and what is wrong.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vigia.events.catalog import Catalog
from vigia.models.detectors.config import DetectorConfig, parse_detectors
from vigia.models.dora.levels import DoraConfig, parse_dora
from vigia.models.guard.guard import Guard
from vigia.models.guard.rules import Rules, parse_rules
from vigia.models.risk.policy import Policy, parse_policy
from vigia.settings import Settings, read_keys
from vigia.stores.errors import Unusable

T = TypeVar("T")


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a file; without the file, every service is unassigned."""
    return _read(path, Catalog.parse, Catalog)


def read_detectors(path: Path) -> DetectorConfig:
    """Return the detectors' limits in a file, or the defaults without one."""
    return _read(path, parse_detectors, DetectorConfig)


def read_policy(path: Path) -> Policy:
    """Return the gates in a file, or the defaults without one."""
    return _read(path, parse_policy, Policy)


def read_guard(settings: Settings) -> Guard:
    """Return who may label what, with the keys of those who sign; without the file everybody may everything.

    Raises SettingsError for keys that are not there or too short.
    """
    path = settings.feedback
    rules = _read(path, parse_rules, Rules)
    secrets = {name: key.reveal().encode() for name, key in read_keys(rules.variables, str(path)).items()}
    return Guard(rules, secrets, read_catalog(settings.catalog).scope_of, str(path))


def read_dora(path: Path) -> DoraConfig:
    """Return how deliveries are measured, or the defaults without a file."""
    return _read(path, parse_dora, DoraConfig)


def read_delivery_files(settings: Settings) -> tuple[Catalog, DoraConfig]:
    """Return what reports about deliveries need: the catalog, and how they are measured.

    The files looked for by default may be missing, others may not.
    """
    defaults = Settings()
    for path, default in ((settings.catalog, defaults.catalog), (settings.dora, defaults.dora)):
        if path != default and not path.exists():
            raise Unusable(f"there is no file {path}, which the settings name")
    return read_catalog(settings.catalog), read_dora(settings.dora)


def _read(path: Path, parse: Callable[[dict[str, Any], str], T], without: Callable[[], T]) -> T:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return without()
    # the last two are ValueErrors
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error
    try:
        return parse(content, str(path))
    except ValueError as error:
        raise Unusable(str(error)) from error
