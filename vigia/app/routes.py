"""ROUTES: which agent reads which topics, with which model, how its raw events are kept, and what it writes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faust.streams import Stream

from vigia import topics
from vigia.agents.deployments import deployments_agent
from vigia.agents.metrics import metrics_agent
from vigia.agents.remediation import remediation_agent
from vigia.agents.telemetry import telemetry_agent
from vigia.app.files import read_catalog, read_detectors, read_guard, read_policy
from vigia.app.waiting import waiting_times
from vigia.events.effects import Model
from vigia.events.topic import Topic
from vigia.models.deployments import DeploymentsModel
from vigia.models.guard.model import GuardedModel
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.telemetry import TelemetryModel
from vigia.settings import Settings
from vigia.streaming.batches import Batch
from vigia.streaming.lanes import Lanes
from vigia.streaming.route import Route

ROWS, PACKED = False, True
"""How raw events are kept: one readable row an event, or one compressed row a fetched batch."""


@dataclass(frozen=True)
class Row:
    """A line of ROUTES."""

    agent: Callable[[Lanes], Callable[[Stream[Batch]], Any]]
    reads: tuple[Topic, ...]
    model: Callable[[Settings], Model[Any, Any]]
    packed: bool
    writes: tuple[Topic, ...]

    @property
    def name(self) -> str:
        """The agent's name, which is also its lanes'."""
        return self.agent.__name__.removesuffix("_agent")

    def route(self, settings: Settings) -> Route:
        """Return the line with its model made."""
        return Route(self.name, self.reads, self.model(settings), self.packed, self.writes)


def _deployments(settings: Settings) -> GuardedModel:
    model = DeploymentsModel(
        forget_after=settings.risk.forget_after,
        waiting_times=waiting_times(settings),
        policy=read_policy(settings.policy),
    )
    return GuardedModel(model, read_guard(settings), counted_by="scope", services_of=model.services_of)


def _metrics(settings: Settings) -> MetricsModel:
    metrics = settings.metrics
    return MetricsModel(
        MetricsConfig(
            window=metrics.window,
            lateness=metrics.lateness,
            series_idle=metrics.series_idle,
            idle_timeout=metrics.idle_timeout,
            retention=metrics.retention,
            retention_hours=metrics.retention_hours,
            retention_days=metrics.retention_days,
            series_cap=metrics.series_cap,
            series_forget=metrics.series_forget,
            problem_forget=metrics.problem_forget,
            stale_after=metrics.stale_after,
            detectors=read_detectors(settings.detectors),
        )
    )


def _telemetry(settings: Settings) -> GuardedModel:
    model = TelemetryModel(forget_after=settings.telemetry.forget_after)
    return GuardedModel(model, read_guard(settings), counted_by="agent")


def _remediation(settings: Settings) -> GuardedModel:
    detectors = read_detectors(settings.detectors)
    config = RemediationConfig(
        proposal_expiry=settings.remediation.proposal_expiry,
        dependencies=read_catalog(settings.catalog).dependencies,
        shared_dependency=detectors.shared_dependency,
        mutes=detectors.mute,
    )
    model = RemediationModel(config)
    return GuardedModel(model, read_guard(settings))


ROUTES: tuple[Row, ...] = (
    Row(
        deployments_agent,
        (topics.DEPLOYMENTS, topics.FEEDBACK),
        _deployments,
        ROWS,
        (topics.RISK, topics.DRIFT, topics.AI_DECISIONS, topics.DEPLOYMENTS, topics.FEEDBACK, topics.DEPLOYED),
    ),
    Row(metrics_agent, (topics.METRICS, topics.MUTES), _metrics, PACKED, (topics.PROBLEMS,)),
    Row(telemetry_agent, (topics.AI_DECISIONS,), _telemetry, ROWS, ()),
    Row(
        remediation_agent,
        (topics.PROBLEMS, topics.PROBLEM_LINKS, topics.DEPLOYED, topics.VERDICTS, topics.EXECUTION_RESULTS),
        _remediation,
        ROWS,
        (topics.APPROVALS, topics.AI_DECISIONS, topics.PROBLEMS, topics.PROBLEM_LINKS),
    ),
)
