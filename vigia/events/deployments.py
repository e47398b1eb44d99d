"""Deployments: a change reaching an environment, told by one or several events (`planned`, `started`, `finished`).

The deployment's id is derived from (source, external id), so whatever order and number of events a tool sends, they
are one deployment.
"""

from math import inf, isfinite
from typing import Literal

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import check_name, check_optional_name
from vigia.events.times import Time, epoch_seconds

Stage = Literal["planned", "started", "finished"]
Status = Literal["", "succeeded", "failed", "cancelled"]

Kind = Literal["deployment", "rollback", "publication", "removal"]
"""What a deployment does: brings a change, goes back to an earlier version, lets users reach what is there already, or
takes the service away. Only the first is a delivery."""

MAX_COMMITS = 1_000
"""Most commits one deployment event may list."""

MAX_RUNS = 10
"""Most runs one event may name."""

MAX_RESOLVES = 100
"""Most incidents one event may name."""


class ChangeFeatures(EventStruct, frozen=True, kw_only=True):
    """What is known of a change before it goes out; a feature that is not known is absent, never zero.

    The first fourteen are those of Kamei et al., "A large-scale empirical study of just-in-time quality assurance"
    (2013). All numbers are finite and not negative.
    """

    fix: float | None = None
    """1 when the change fixes a defect, else 0."""
    ns: float | None = None
    """Subsystems touched (count)."""
    nd: float | None = None
    """Directories touched (count)."""
    nf: float | None = None
    """Files touched (count)."""
    entropy: float | None = None
    """Spread of the change over its files (bits, or normalised to [0, 1] by the sender)."""
    la: float | None = None
    """Lines added."""
    ld: float | None = None
    """Lines deleted."""
    lt: float | None = None
    """Lines in the files before the change."""
    ndev: float | None = None
    """Developers who touched these files before (count)."""
    age: float | None = None
    """Days since the files were last changed, on average."""
    nuc: float | None = None
    """Unique earlier changes to these files (count)."""
    exp: float | None = None
    """Author's earlier changes (count)."""
    rexp: float | None = None
    """Author's earlier changes, weighted by recency."""
    sexp: float | None = None
    """Author's earlier changes in these subsystems (count)."""
    lead_time: float | None = None
    """Seconds from first commit to this deployment."""
    tests_passed_pct: float | None = None
    """Share of tests that passed, in percent [0, 100]."""
    code_changes_size: float | None = None
    """Lines changed in total."""
    previous_failures: float | None = None
    """Failed deployments of the service in the recent past (count)."""
    team_velocity: float | None = None
    """Deployments of the team a week."""
    planning_duration: float | None = None
    """Seconds from plan to start of work."""
    feature_complexity_score: float | None = None
    """The sender's estimate, in [0, 10]."""
    code_review_score: float | None = None
    """The sender's estimate of review quality, in [0, 10]."""
    schema_migration: float | None = None
    """1 when the change migrates a schema, else 0."""
    behind_flag: float | None = None
    """1 when the change is behind a feature flag, else 0."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None:
                continue
            if not isfinite(value):
                raise InvalidEvent(Reason.NOT_FINITE, f"features.{name} is {value}")
            if value < 0:
                raise InvalidEvent(Reason.BAD_VALUE, f"features.{name} is {value}: features are not negative")


class Commit(EventStruct, frozen=True, kw_only=True):
    """A commit that a deployment brings; `committed_at` starts its change lead time."""

    sha: str
    committed_at: Time | None = None
    author: str = ""
    features: ChangeFeatures | None = None

    def __post_init__(self) -> None:
        check_name(self.sha, "commits[].sha")
        check_optional_name(self.author, "commits[].author")
        if self.committed_at is not None:
            set_frozen(self, "committed_at", epoch_seconds(self.committed_at, "commits[].committed_at"))


class Deployment(EventStruct, tag_field="type", tag="deployment", frozen=True, kw_only=True):
    """One event about a deployment.

    `source` and `external_id` name the deployment in the tool it comes from; `at` is when this stage was reached;
    `status` is given when `stage` is `finished`. `scope` is the team whose model scores it (empty: the catalog says).
    All stages of a deployment, and its outcomes, must name one scope, or none and be of a service in the catalog: told
    under two scopes it is two deployments, each scored by one team's model.
    `features` describe the whole change; where only commits carry them they are added up by the model.
    `error_budget` is the share of the service's error budget that is left, if the sender knows it: at most 1, and 0 or
    below when it is spent.
    `runs` name what brought it, as pipeline runs and merged changes name themselves (`PipelineRun`, `ChangeMerged`):
    what came of those is then told of this deployment, too, whichever arrives first.
    `resolves` name the incidents, as (source, external id), that this deployment was made for: it is rework.
    """

    source: str
    external_id: str
    service: str
    stage: Stage
    at: Time
    environment: str = DEFAULT_ENVIRONMENT
    scope: str = ""
    version: str = ""
    status: Status = ""
    commits: list[Commit] = msgspec.field(default_factory=list)
    features: ChangeFeatures | None = None
    event_id: str = ""
    kind: Kind = "deployment"
    runs: list[str] = msgspec.field(default_factory=list)
    error_budget: float | None = None
    resolves: list[tuple[str, str]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        for field in ("source", "external_id", "service", "environment"):
            check_name(getattr(self, field), field)
        for field in ("scope", "version", "event_id"):
            check_optional_name(getattr(self, field), field)
        if len(self.commits) > MAX_COMMITS:
            raise InvalidEvent(Reason.TOO_LARGE, f"{len(self.commits)} commits; at most {MAX_COMMITS} in one event")
        check_runs(self.runs, "runs")
        if self.error_budget is not None and not -inf < self.error_budget <= 1.0:
            raise InvalidEvent(Reason.BAD_VALUE, f"error_budget is {self.error_budget}: it is a share, at most 1")
        if len(self.resolves) > MAX_RESOLVES:
            raise InvalidEvent(Reason.TOO_LARGE, f"{len(self.resolves)} incidents; at most {MAX_RESOLVES} in one event")
        for source, external_id in self.resolves:
            check_name(source, "resolves[].source")
            check_name(external_id, "resolves[].external_id")
        if (self.stage == "finished") != bool(self.status):
            raise InvalidEvent(
                Reason.MISSING_FIELD if not self.status else Reason.BAD_VALUE,
                "`status` goes with the stage `finished`, and only with it",
            )
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def deployment_id(self) -> str:
        """The deployment this event is about."""
        return deployment_id(self.source, self.external_id)

    @property
    def identity(self) -> str:
        """The sender's id, or one from deployment, stage, status and time: a stage told again at another time, as by a
        retried job, is another event, which the model merges.
        """
        return self.event_id or derive_id(
            "deployment-event", self.source, self.external_id, self.stage, self.status, repr(self.at)
        )

    @property
    def occurred_at(self) -> float:
        """When the stage was reached."""
        return self.at


def deployment_id(source: str, external_id: str) -> str:
    """Return the id of the deployment that `source` calls `external_id`."""
    return derive_id("deployment", source, external_id)


def check_runs(names: list[str], field: str) -> None:
    """Raise InvalidEvent unless `names` are usable names of at most `MAX_RUNS` runs."""
    if len(names) > MAX_RUNS:
        raise InvalidEvent(Reason.TOO_LARGE, f"{field} has {len(names)} names; at most {MAX_RUNS} are allowed")
    for name in names:
        check_name(name, f"{field}[]")
