"""The features of a deployment: name, unit, definition, source, how commits are combined, how a value becomes a column.

Documentation is generated from this table. A feature that is not known is never taken for zero: it stands at the mean
that its scope has seen (so it pushes the score nowhere), and `<name>_missing` says that it was not known.
"""

from dataclasses import dataclass
from typing import Literal

Combine = Literal["sum", "max", "min", "mean"]
"""How commits' values make the deployment's: `mean` is weighted by the lines a commit changes."""

Scale = Literal["log", "flag", "percent", "ten"]
"""How a value becomes a column: log(1 + x); clipped to [0, 1]; to [0, 100] and divided; to [0, 10] and divided."""

KAMEI = "Kamei et al. 2013"
VIGIA = "Vigia"


@dataclass(frozen=True)
class Feature:
    """One feature of a change; `typical` and `spread` are the prior mean and standard deviation of its column.

    The two are rough magnitudes written down from what the features mean, not fitted to any project. They weigh as much
    as ten changes (`PRIOR_OBSERVATIONS` in `online.py`), so that the first score of a new scope has a scale at all.
    """

    name: str
    unit: str
    definition: str
    source: str
    scale: Scale
    combine: Combine
    typical: float
    spread: float
    derived: str = ""
    """Where the value is taken from when the event has none, before it counts as missing."""

    @property
    def missing(self) -> str:
        """The name of the column that says that the feature was not known."""
        return f"{self.name}_missing"

    @property
    def when_missing(self) -> str:
        """What is done without the feature, as a sentence."""
        first = f"{self.derived}; else it" if self.derived else "It"
        return f"{first} stands at the scope's running mean, and `{self.missing}` is 1."


FEATURES: tuple[Feature, ...] = (
    Feature("fix", "0 or 1", "the change fixes a defect", KAMEI, "flag", "max", 0.3, 0.45),
    # subsystems, earlier changes and developers of the same files overlap between commits: a sum would count them twice
    Feature("ns", "count", "subsystems touched", KAMEI, "log", "max", 0.8, 0.4),
    Feature("nd", "count", "directories touched", KAMEI, "log", "sum", 1.1, 0.6),
    Feature("nf", "count", "files touched", KAMEI, "log", "sum", 1.3, 0.7),
    Feature("entropy", "bits", "spread of the change over its files", KAMEI, "log", "mean", 0.5, 0.5),
    Feature("la", "lines", "lines added", KAMEI, "log", "sum", 2.8, 1.6),
    Feature("ld", "lines", "lines deleted", KAMEI, "log", "sum", 2.0, 1.6),
    Feature("lt", "lines", "lines in the files before the change", KAMEI, "log", "mean", 5.0, 2.0),
    Feature("ndev", "count", "developers who touched these files before", KAMEI, "log", "max", 1.8, 1.0),
    Feature("age", "days", "days since the files were last changed, on average", KAMEI, "log", "mean", 2.0, 1.6),
    Feature("nuc", "count", "unique earlier changes to these files", KAMEI, "log", "max", 2.0, 1.5),
    Feature("exp", "count", "author's earlier changes", KAMEI, "log", "mean", 5.0, 2.0),
    Feature("rexp", "weighted count", "author's earlier changes, weighted by recency", KAMEI, "log", "mean", 3.0, 1.5),
    Feature("sexp", "count", "author's earlier changes in these subsystems", KAMEI, "log", "mean", 4.0, 2.0),
    Feature(
        "lead_time",
        "seconds",
        "from the first commit to this deployment",
        VIGIA,
        "log",
        "max",
        11.0,
        2.0,
        derived="Without it, the time since the earliest commit listed is taken",
    ),
    Feature("tests_passed_pct", "percent", "share of tests that passed", VIGIA, "percent", "min", 0.95, 0.1),
    Feature("code_changes_size", "lines", "lines changed in total", VIGIA, "log", "sum", 3.5, 1.6),
    Feature(
        "previous_failures",
        "count",
        "failed deployments of the service in the recent past",
        VIGIA,
        "log",
        "max",
        0.4,
        0.5,
    ),
    Feature("team_velocity", "1/week", "deployments of the team a week", VIGIA, "log", "mean", 2.0, 1.0),
    Feature("planning_duration", "seconds", "from plan to start of work", VIGIA, "log", "max", 11.0, 2.5),
    Feature(
        "feature_complexity_score", "0 to 10", "the sender's estimate of complexity", VIGIA, "ten", "max", 0.4, 0.25
    ),
    Feature("code_review_score", "0 to 10", "the sender's estimate of review quality", VIGIA, "ten", "min", 0.6, 0.25),
    Feature("schema_migration", "0 or 1", "the change migrates a schema", VIGIA, "flag", "max", 0.1, 0.3),
    Feature("behind_flag", "0 or 1", "all of the change is behind a feature flag", VIGIA, "flag", "min", 0.2, 0.4),
)
"""Every feature an event may carry. The order is that of stored deployments: new ones are added at the end."""


@dataclass(frozen=True)
class TimeColumn:
    """A column made from the time at which the deployment is scored; it is never missing."""

    name: str
    unit: str
    definition: str


TIME_COLUMNS: tuple[TimeColumn, ...] = (
    TimeColumn("time_of_day_sin", "-1 to 1", "sine of the time of day in UTC, a day being one turn"),
    TimeColumn("time_of_day_cos", "-1 to 1", "cosine of the time of day in UTC"),
    TimeColumn("day_of_week_sin", "-1 to 1", "sine of the day of the week in UTC, Monday at 0, a week being one turn"),
    TimeColumn("day_of_week_cos", "-1 to 1", "cosine of the day of the week in UTC"),
)
