"""What a setting is: the fields of the dataclasses in `sections.py`, each with unit, meaning, bounds and default."""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from vigia.settings.secret import Secret, Url

PREFIX = "VIGIA_"
_META = "setting"

T = TypeVar("T")


@dataclass(frozen=True)
class Meta:
    """What a declaration says about a setting besides its name, type and default."""

    meaning: str
    unit: str
    minimum: float | None
    maximum: float | None
    production: object


@dataclass(frozen=True)
class Setting:
    """One row of the table; `section` is empty for the settings at the top of the TOML file."""

    section: str
    name: str
    kind: Any
    default: Any
    meta: Meta

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + "_".join(part.upper() for part in (self.section, self.name) if part)

    @property
    def key(self) -> str:
        """The key in the TOML file, with its table."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def secret(self) -> bool:
        """Whether its value may never be shown whole."""
        return self.kind in {Secret, Url}

    @property
    def file_variable(self) -> str:
        """The variable that names a file with the value; empty for what is not secret."""
        return f"{self.variable}_FILE" if self.secret else ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values allowed, or nothing when any of its type are."""
        return typing.get_args(self.kind) if typing.get_origin(self.kind) is typing.Literal else ()

    def default_for(self, profile: str) -> Any:
        """Return the default in this profile."""
        if profile == "production" and self.meta.production is not None:
            return self.meta.production
        return self.default


def setting(
    default: T,
    meaning: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    production: T | None = None,
) -> T:
    """Declare a setting; bounds are inclusive, and `production` is the default in that profile when it differs."""
    meta = Meta(meaning, unit, minimum, maximum, production)
    return dataclasses.field(default=default, metadata={_META: meta})


def rows(settings_class: type, section: str = "") -> list[Setting]:
    """Return every setting of a settings class and its sections, top-level ones first."""
    hints = typing.get_type_hints(settings_class)
    own: list[Setting] = []
    below: list[Setting] = []
    for field in dataclasses.fields(settings_class):
        meta = field.metadata.get(_META)
        if meta is None:
            below += rows(hints[field.name], field.name)
        else:
            own.append(Setting(section, field.name, hints[field.name], field.default, meta))
    return own + below
