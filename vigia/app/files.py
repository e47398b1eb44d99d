"""Reads the files that the settings name: catalog, detectors, policy, who may label what, delivery metrics."""

import tomllib
from pathlib import Path
from typing import Any

from vigia.events.catalog import Catalog
from vigia.models.detectors.config import DetectorConfig, parse_detectors
from vigia.models.dora.levels import DoraConfig, parse_dora
from vigia.models.guard.guard import Guard
from vigia.models.guard.rules import Rules, parse_rules
from vigia.models.risk.policy import Policy, parse_policy
from vigia.settings import Settings, read_keys
from vigia.stores.errors import Unusable


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a file; without the file, every service is unassigned. Raises CatalogError."""
    return Catalog.parse(_toml(path), str(path)) if path.exists() else Catalog()


def read_detectors(path: Path) -> DetectorConfig:
    """Return the detectors' limits in a file, or the defaults without one. Raises DetectorConfigError."""
    return parse_detectors(_toml(path), str(path)) if path.exists() else DetectorConfig()


def read_policy(path: Path) -> Policy:
    """Return the gates in a file, or the defaults without one. Raises PolicyError."""
    return parse_policy(_toml(path), str(path)) if path.exists() else Policy()


def read_guard(settings: Settings) -> Guard:
    """Return who may label what, with the keys of those who sign; without the file everybody may everything.

    Raises RulesError, and SettingsError for keys that are not there or too short.
    """
    path = settings.feedback
    rules = parse_rules(_toml(path), str(path)) if path.exists() else Rules()
    secrets = {name: key.reveal().encode() for name, key in read_keys(rules.variables, str(path)).items()}
    return Guard(rules, secrets, read_catalog(settings.catalog).scope_of, str(path))


def read_dora(path: Path) -> DoraConfig:
    """Return how deliveries are measured, or the defaults without a file. Raises DoraConfigError."""
    return parse_dora(_toml(path), str(path)) if path.exists() else DoraConfig()


def read_delivery_files(settings: Settings) -> tuple[Catalog, DoraConfig]:
    """Return what reports about deliveries need: the catalog, and how they are measured.

    Raises Unusable, naming the file, when one cannot be used; the files looked for by default may be missing.
    """
    defaults = Settings()
    for path, default in ((settings.catalog, defaults.catalog), (settings.dora, defaults.dora)):
        if path != default and not path.exists():
            raise Unusable(f"there is no file {path}, which the settings name")
    try:
        return read_catalog(settings.catalog), read_dora(settings.dora)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{settings.catalog} or {settings.dora} cannot be read: {error}") from error
    except ValueError as error:
        raise Unusable(str(error)) from error


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
