"""The features of a deployment: name, unit, definition, source, how commits are combined, what is done without a value.

`docs/features.md` is generated from this table. A feature that is not known is never taken for zero: it stands at the
mean that its scope has seen, so it pushes the score nowhere, and an indicator tells the model that it was not known.
"""

from dataclasses import dataclass
from typing import Literal

Combine = Literal["sum", "max", "min", "mean", "none"]
"""How commits' values make the deployment's: `mean` is weighted by the lines a commit changes; `none`: commits have no
such value."""

Scale = Literal["log", "flag", "percent", "ten", "share", "day", "week"]
"""How a value becomes a column: log(1 + x); clipped to [0, 1]; to [0, 100] and divided; to [0, 10] and divided; clipped
to [0, 1]; sine and cosine of the time as a share of a day, or of a week."""

KAMEI = "Kamei et al. 2013"
EVENT = "the event"
CONTEXT = "the scope's own past"
CLOCK = "the time of scoring"


@dataclass(frozen=True)
class Feature:
    """One feature; `typical` and `spread` are the prior mean and standard deviation of its column, on its scale.

    They are rough magnitudes written down from what the features mean, not fitted to any project, and used only for the
    features that the recorded projects lack: there they weigh as much as ten changes (`bayes.PRIOR_CHANGES_OTHERS`).
    """

    name: str
    unit: str
    definition: str
    source: str
    scale: Scale
    combine: Combine
    typical: float = 0.0
    spread: float = 1.0
    derived: str = ""
    """Where the value is taken from when the event has none, before it counts as missing."""

    @property
    def when_missing(self) -> str:
        """What is done without the feature, as a sentence."""
        if self.source == CLOCK:
            return "It is never missing."
        first = f"{self.derived}; else it" if self.derived else "It"
        return f"{first} stands at the scope's running mean, and an indicator is set."


def _kamei(name: str, unit: str, definition: str, combine: Combine, scale: Scale = "log") -> Feature:
    return Feature(name, unit, definition, KAMEI, scale, combine)


FEATURES: tuple[Feature, ...] = (
    _kamei("fix", "0 or 1", "the change fixes a defect", "max", "flag"),
    # subsystems, earlier changes and developers of the same files overlap between commits: a sum would count them twice
    _kamei("ns", "count", "subsystems touched", "max"),
    _kamei("nd", "count", "directories touched", "sum"),
    _kamei("nf", "count", "files touched", "sum"),
    _kamei("entropy", "bits", "spread of the change over its files", "mean"),
    _kamei("la", "lines", "lines added", "sum"),
    _kamei("ld", "lines", "lines deleted", "sum"),
    _kamei("lt", "lines", "lines in the files before the change", "mean"),
    _kamei("ndev", "count", "developers who touched these files before", "max"),
    _kamei("age", "days", "days since the files were last changed, on average", "mean"),
    _kamei("nuc", "count", "unique earlier changes to these files", "max"),
    _kamei("exp", "count", "author's earlier changes", "mean"),
    _kamei("rexp", "weighted count", "author's earlier changes, weighted by recency", "mean"),
    _kamei("sexp", "count", "author's earlier changes in these subsystems", "mean"),
    Feature(
        "lead_time",
        "seconds",
        "from the first commit to this deployment",
        EVENT,
        "log",
        "max",
        11.0,
        2.0,
        derived="Without it, the time since the earliest commit listed is taken",
    ),
    Feature("tests_passed_pct", "percent", "share of tests that passed", EVENT, "percent", "min", 0.95, 0.1),
    Feature(
        "code_changes_size",
        "lines",
        "lines changed in total",
        EVENT,
        "log",
        "sum",
        3.5,
        1.6,
        derived="Without it, lines added and deleted are taken",
    ),
    Feature(
        "previous_failures",
        "count",
        "failed deployments of the service in the recent past, each counting half after 30 days",
        EVENT,
        "log",
        "max",
        0.4,
        0.5,
        derived="Without it, what the scope has seen is taken",
    ),
    Feature(
        "team_velocity",
        "1/week",
        "deployments of the team a week",
        EVENT,
        "log",
        "mean",
        2.0,
        1.0,
        derived="Without it, what the scope has seen is taken",
    ),
    Feature("planning_duration", "seconds", "from plan to start of work", EVENT, "log", "max", 11.0, 2.5),
    Feature(
        "feature_complexity_score", "0 to 10", "the sender's estimate of complexity", EVENT, "ten", "max", 0.4, 0.25
    ),
    Feature("code_review_score", "0 to 10", "the sender's estimate of review quality", EVENT, "ten", "min", 0.6, 0.25),
    Feature("schema_migration", "0 or 1", "the change migrates a schema", EVENT, "flag", "max", 0.1, 0.3),
    Feature("behind_flag", "0 or 1", "all of the change is behind a feature flag", EVENT, "flag", "min", 0.2, 0.4),
    Feature(
        "service_failure_rate",
        "share",
        "share of the service's recent deployments that are known to have failed, each counting half after 30 days",
        CONTEXT,
        "share",
        "none",
        0.15,
        0.15,
    ),
    Feature(
        "author_failure_rate",
        "share",
        "the same of deployments with these authors' commits, the mean over the authors",
        CONTEXT,
        "share",
        "none",
        0.15,
        0.15,
    ),
    Feature(
        "since_last_deployment",
        "seconds",
        "since the service's latest earlier deployment",
        CONTEXT,
        "log",
        "none",
        11.0,
        2.5,
    ),
    Feature(
        "in_flight",
        "count",
        "other deployments of the service that have started within a day and not finished",
        CONTEXT,
        "log",
        "none",
        0.1,
        0.3,
    ),
    Feature(
        "open_incident",
        "0 or 1",
        "an incident of the service is open in this environment",
        CONTEXT,
        "flag",
        "none",
        0.05,
        0.2,
    ),
    Feature("time_of_day", "hours", "time of day in UTC", CLOCK, "day", "none"),
    Feature("day_of_week", "days since Monday", "day of the week in UTC", CLOCK, "week", "none"),
)
"""Every feature. The order is that of stored deployments: new ones are added at the end."""

OF_THE_PAST = frozenset(
    {"previous_failures", "team_velocity", *(feature.name for feature in FEATURES if feature.source == CONTEXT)}
)
"""Features that follow what the scope did lately, not the deployment itself."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
POSITION: dict[str, int] = {name: position for position, name in enumerate(NAMES)}
BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
