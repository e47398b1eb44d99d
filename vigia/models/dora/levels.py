"""Levels of delivery performance: those of DORA's reports, each of its year, and an organisation's own.

The reports describe clusters that they found in a survey, not limits: between two levels a metric has the better one
whose bound it meets. Fail rates are not in the order of the levels (in 2024 `high` failed more often than `medium`), so
there the published share that is nearest names the level; in 2021 three levels share one.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

LevelName = Literal["elite", "high", "medium", "low"]
LEVELS: tuple[LevelName, ...] = ("elite", "high", "medium", "low")

OwnLevelName = Literal["elite", "high", "medium"]
OWN_LEVELS: tuple[OwnLevelName, ...] = ("elite", "high", "medium")
"""Those that an organisation sets limits of; `low` is what meets none."""

MetricName = Literal[
    "change_lead_time",
    "deployment_frequency",
    "failed_deployment_recovery_time",
    "change_fail_rate",
    "deployment_rework_rate",
]
METRICS: tuple[MetricName, ...] = (
    "change_lead_time",
    "deployment_frequency",
    "failed_deployment_recovery_time",
    "change_fail_rate",
    "deployment_rework_rate",
)

HOUR, DAY = 3600.0, 86_400.0
WEEK, MONTH = 7 * DAY, 30 * DAY

YEARS = (2021, 2023, 2024)
OWN = "own"

_DAILY, _WEEKLY, _MONTHLY = 1.0, 1 / 7, 1 / 30


class Level(msgspec.Struct, frozen=True):
    """Which levels a value has in a table: one, or several where the table cannot tell them apart."""

    table: str
    names: tuple[LevelName, ...]
    note: str = ""


class _Report(msgspec.Struct, frozen=True):
    """A report's table: for times (seconds) and frequencies (a day) the bounds of all levels but the last."""

    lead_time: tuple[float, float, float]
    frequency: tuple[float, float, float]
    recovery: tuple[float, float, float]
    fail_rates: tuple[float, ...]
    """The published share of each level, where there is one."""


_REPORTS: dict[int, _Report] = {
    2021: _Report((HOUR, WEEK, 6 * MONTH), (_DAILY, _MONTHLY, 1 / 180), (HOUR, DAY, WEEK), ()),
    2023: _Report((DAY, WEEK, MONTH), (_DAILY, _WEEKLY, _MONTHLY), (HOUR, DAY, WEEK), (0.05, 0.10, 0.15, 0.64)),
    2024: _Report((DAY, WEEK, MONTH), (_DAILY, _WEEKLY, _MONTHLY), (HOUR, DAY, WEEK), (0.05, 0.20, 0.10, 0.40)),
}

_FAIL_LIMIT_2021 = 0.155
"""Between the published 0-15 % and 16-30 %."""


class OwnLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of one level; a metric without one is not judged by it."""

    more_than_deployments_a_week: float | None = None
    lead_time_below_hours: float | None = None
    recovery_below_hours: float | None = None
    fail_rate_below: float | None = None
    rework_rate_below: float | None = None


class DoraConfigError(ValueError):
    """The organisation's own table cannot be used; the message names the file and the key."""


class DoraConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an organisation says of its delivery metrics (`config/dora.toml`)."""

    environments: tuple[str, ...] = ("production",)
    """Environments that count as production."""
    attribution_window_hours: float = 24.0
    levels: dict[OwnLevelName, OwnLevel] = msgspec.field(default_factory=dict)


LONGEST_WINDOW_HOURS = 7 * 24.0


def parse_dora(content: Mapping[str, Any], source: str) -> DoraConfig:
    """Return the configuration in `content`, read from the file `source`; raises DoraConfigError.

    >>> parse_dora({"levels": {"elite": {"fail_rate_below": 0.1}}}, "dora.toml").levels["elite"].fail_rate_below
    0.1
    >>> parse_dora({"enviroments": ["live"]}, "dora.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    vigia.models.dora.levels.DoraConfigError: dora.toml: Object contains unknown field `enviroments`
    """
    try:
        config = msgspec.convert(content, DoraConfig)
    except msgspec.ValidationError as error:
        raise DoraConfigError(f"{source}: {error}") from error
    if not config.environments:
        raise DoraConfigError(f"{source}: `environments` names none, so nothing would be production")
    if not 0 < config.attribution_window_hours <= LONGEST_WINDOW_HOURS:
        raise DoraConfigError(f"{source}: `attribution_window_hours` must be above 0, and at most 168 (a week)")
    return config


def level_of(metric: MetricName, value: float | None, year: int) -> Level | None:
    """Return the level of a value (seconds, deployments a day, shares) by the report of `year`, one of YEARS.

    None without a value, and for the rework rate, which no report has levels of.

    >>> level_of("change_lead_time", 2 * 86_400, 2024).names
    ('high',)
    >>> level_of("change_fail_rate", 0.12, 2024).names, level_of("change_fail_rate", 0.12, 2021).names
    (('medium',), ('elite',))
    """
    report = _REPORTS[year]
    if value is None or metric == "deployment_rework_rate":
        return None
    table = str(year)
    if metric == "change_fail_rate":
        return _fail_rate(value, report, table)
    if metric == "deployment_frequency":
        return Level(table, (_best([value > report.frequency[0], *(value >= each for each in report.frequency[1:])]),))
    bounds = report.lead_time if metric == "change_lead_time" else report.recovery
    return Level(table, (_best([value < each for each in bounds]),))


def own_level_of(metric: MetricName, value: float | None, config: DoraConfig) -> Level | None:
    """Return the level by the organisation's own table; None without a value, or where it has no limit for the metric.

    The last level is `low`: what meets no limit.
    """
    if value is None:
        return None
    met: dict[OwnLevelName, bool] = {}
    for name in OWN_LEVELS:
        limits = config.levels.get(name)
        within = None if limits is None else _within(metric, value, limits)
        if within is not None:
            met[name] = within
    if not met:
        return None
    found: LevelName = next((name for name in OWN_LEVELS if met.get(name)), "low")
    below = "" if found != "low" or len(met) == len(OWN_LEVELS) else f"below {list(met)[-1]}"
    return Level(OWN, (found,), below)


def _fail_rate(value: float, report: _Report, table: str) -> Level:
    if not report.fail_rates:
        if value < _FAIL_LIMIT_2021:
            return Level(table, ("elite",))
        return Level(table, ("high", "medium", "low"), "the report gives these levels one range, 16-30 %")
    nearest = min(range(len(LEVELS)), key=lambda place: abs(report.fail_rates[place] - value))
    note = f"nearest to the published {report.fail_rates[nearest]:.0%}; the report's fail rates do not rank its levels"
    return Level(table, (LEVELS[nearest],), note if sorted(report.fail_rates) != list(report.fail_rates) else "")


def _best(meets: list[bool]) -> LevelName:
    return next((name for name, met in zip(LEVELS, meets, strict=False) if met), "low")


def _within(metric: MetricName, value: float, limits: OwnLevel) -> bool | None:
    """Return whether the value is within the level's limit; None without one."""
    if metric == "deployment_frequency":
        limit = limits.more_than_deployments_a_week
        return None if limit is None else value * 7 > limit
    limit, unit = {
        "change_lead_time": (limits.lead_time_below_hours, HOUR),
        "failed_deployment_recovery_time": (limits.recovery_below_hours, HOUR),
        "change_fail_rate": (limits.fail_rate_below, 1.0),
        "deployment_rework_rate": (limits.rework_rate_below, 1.0),
    }[metric]
    return None if limit is None else value < limit * unit
