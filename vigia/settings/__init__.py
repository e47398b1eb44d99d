"""Every setting, and the only reader of environment variables and TOML: `load()` gives a checked `Settings`.

Precedence: environment over TOML over default. Whatever is unknown or unusable is an error, and one error names them
all. The table of settings with units and meanings is `sections.py`; `docs/settings.md` is generated from it.
"""

from vigia.settings.checks import WEAKNESSES, Weakness, weaknesses
from vigia.settings.keys import read_keys
from vigia.settings.reading import DEFAULT_TOML, SettingsError, load
from vigia.settings.secret import Secret, Url, masked_url
from vigia.settings.sections import (
    EmitSettings,
    KafkaSettings,
    MetricsSettings,
    OperationsSettings,
    RawLogSettings,
    RemediationSettings,
    RiskSettings,
    Settings,
    StreamSettings,
    SummariesSettings,
    TelemetrySettings,
)
from vigia.settings.table import Setting, rows

__all__ = [
    "DEFAULT_TOML",
    "WEAKNESSES",
    "EmitSettings",
    "KafkaSettings",
    "MetricsSettings",
    "OperationsSettings",
    "RawLogSettings",
    "RemediationSettings",
    "RiskSettings",
    "Secret",
    "Setting",
    "Settings",
    "SettingsError",
    "StreamSettings",
    "SummariesSettings",
    "TelemetrySettings",
    "Url",
    "Weakness",
    "load",
    "masked_url",
    "read_keys",
    "rows",
    "weaknesses",
]
