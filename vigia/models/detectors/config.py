"""The detectors' limits, parsed strictly from what `config/detectors.toml` holds.

Models read no files: the composition root reads the file and passes its content and name.
"""

from collections.abc import Mapping

import msgspec

from vigia.models.detectors.high_error_rate import HighErrorRate


class DetectorConfigError(ValueError):
    """A key or value that no detector knows; the message names the file and the key."""


class DetectorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file for each detector; what is left out has the default."""

    high_error_rate: HighErrorRate = HighErrorRate()


def parse_detectors(content: Mapping[str, object], source: str) -> DetectorConfig:
    """Return the configuration in `content`, read from the file `source`.

    >>> parse_detectors({"high_error_rate": {"open_at": 0.1}}, "detectors.toml").high_error_rate.open_at
    0.1
    >>> parse_detectors({"high_error_rate": {"opens_at": 0.1}}, "detectors.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    vigia.models.detectors.config.DetectorConfigError: ...unknown field `opens_at` - at `$.high_error_rate`
    """
    try:
        return msgspec.convert(content, DetectorConfig)
    except msgspec.ValidationError as error:
        raise DetectorConfigError(f"{source}: {error}") from error
