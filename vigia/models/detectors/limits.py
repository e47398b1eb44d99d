"""The fixed limits that detectors have for a series, to be drawn beside it; not what they learn of it."""

from typing import NamedTuple

from vigia.events.samples import Kind, Series
from vigia.events.summaries import SeriesSummary
from vigia.models.detectors.base import Detector
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.database_slow_queries import DatabaseSlowQueries
from vigia.models.detectors.disk_space_low import DiskSpaceLow
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.units import SECONDS, ratio_scale


class Limit(NamedTuple):
    """A limit by the name that it has in `config/detectors.toml`, in the unit of the series."""

    name: str
    value: float


def limits_of(config: DetectorConfig, summary: SeriesSummary) -> list[Limit]:
    """Return the limits for a series, overrides taken into account; none when no enabled detector with limits
    watches it.

    >>> disk = SeriesSummary(series_id="", service="db", environment="production", metric="disk_used", labels="",
    ...                      kind="gauge", unit="%", first_seen=0.0)
    >>> limits_of(DetectorConfig(), disk)[0]
    Limit(name='disk_space_low.open_at', value=90.0)
    """
    series = _series(summary)
    found: list[Limit] = []
    for detector in config.rules:
        # the last override that matches counts
        matching = [other for match, other in config.overrides_of(detector.name) if match.matches(series)]
        chosen = matching[-1] if matching else detector
        if chosen.enabled and chosen.watches(series):
            found += [Limit(f"{chosen.name}.{name}", value) for name, value in _fixed(chosen, series)]
    return found


def _fixed(detector: Detector, series: Series) -> list[tuple[str, float]]:
    if isinstance(detector, HighErrorRate):
        return [("open_at", detector.open_at / ratio_scale(series))]
    if isinstance(detector, DiskSpaceLow):
        return [(name, getattr(detector, name) / ratio_scale(series)) for name in ("open_at", "p0_at")]
    if isinstance(detector, DatabaseSlowQueries):
        if series.metric in detector.rates:
            return [("rate_at", detector.rate_at)]
        return [("p95_at", detector.p95_at / SECONDS[series.unit])]
    return []


def _series(summary: SeriesSummary) -> Series:
    pairs = (pair.partition("=") for pair in summary.labels.split(",") if pair)
    labels = tuple((name, value) for name, _, value in pairs)
    kind: Kind = "counter" if summary.kind == "counter" else "gauge"
    return Series(summary.series_id, summary.service, summary.environment, summary.metric, labels, kind, summary.unit)
