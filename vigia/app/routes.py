"""ROUTES: which agent reads which topics, with which model, how its raw events are kept, and what it writes."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faust.streams import Stream

from vigia import topics
from vigia.agents.deployments import deployments_agent
from vigia.agents.metrics import metrics_agent
from vigia.agents.remediation import remediation_agent
from vigia.agents.telemetry import telemetry_agent
from vigia.events.catalog import Catalog
from vigia.events.effects import Model
from vigia.events.topic import Topic
from vigia.models.deployments import DeploymentsModel
from vigia.models.detectors.config import DetectorConfig, parse_detectors
from vigia.models.metrics import MetricsConfig, MetricsModel
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.risk.policy import Policy, parse_policy
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


def _deployments(settings: Settings) -> DeploymentsModel:
    risk = settings.risk
    return DeploymentsModel(
        forget_after=risk.forget_after, waiting_time=risk.waiting_time, policy=read_policy(settings.policy)
    )


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
            stale_after=metrics.stale_after,
            detectors=read_detectors(settings.detectors),
        )
    )


def _telemetry(settings: Settings) -> TelemetryModel:
    return TelemetryModel(forget_after=settings.telemetry.forget_after)


def _remediation(settings: Settings) -> RemediationModel:
    return RemediationModel(RemediationConfig(proposal_expiry=settings.remediation.proposal_expiry))


ROUTES: tuple[Row, ...] = (
    Row(
        deployments_agent,
        (topics.DEPLOYMENTS, topics.FEEDBACK),
        _deployments,
        ROWS,
        (topics.RISK, topics.DRIFT, topics.AI_DECISIONS, topics.DEPLOYMENTS, topics.FEEDBACK),
    ),
    Row(metrics_agent, (topics.METRICS,), _metrics, PACKED, (topics.PROBLEMS,)),
    Row(telemetry_agent, (topics.AI_DECISIONS,), _telemetry, ROWS, ()),
    Row(
        remediation_agent,
        (topics.PROBLEMS, topics.VERDICTS, topics.EXECUTION_RESULTS),
        _remediation,
        ROWS,
        (topics.APPROVALS, topics.AI_DECISIONS),
    ),
)


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a file; without the file, every service is unassigned. Raises CatalogError."""
    return Catalog.parse(_toml(path), str(path)) if path.exists() else Catalog()


def read_detectors(path: Path) -> DetectorConfig:
    """Return the detectors' limits in a file, or the defaults without one. Raises DetectorConfigError."""
    return parse_detectors(_toml(path), str(path)) if path.exists() else DetectorConfig()


def read_policy(path: Path) -> Policy:
    """Return the gates in a file, or the defaults without one. Raises PolicyError."""
    return parse_policy(_toml(path), str(path)) if path.exists() else Policy()


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
