"""Guarded models under the laws: senders with limits and bounds, some of them beyond both."""

from tests.unit.models import cases_deployments, cases_telemetry
from tests.unit.models.guard.guarding import guard
from tests.unit.models.laws import ModelCase
from vigia.events.effects import Model
from vigia.models.deployments import DeploymentsModel
from vigia.models.guard.model import GuardedModel
from vigia.models.telemetry import TelemetryModel

RULES = {
    "others": {"a_day": 3},
    "sender": {"ci": {"a_day": 2, "services": ["web"]}, "pager": {"a_day": 1}},
}


def _deployments() -> GuardedModel:
    model = DeploymentsModel(waiting_times={"intervention": 60.0, "defect": 60.0})
    return GuardedModel(model, guard(RULES), counted_by="scope", services_of=model.services_of)


def _telemetry() -> Model:
    return GuardedModel(TelemetryModel(), guard(RULES), counted_by="agent")


_told = cases_deployments
CASES = [
    ModelCase(
        "guarded-deployments",
        _deployments,
        _told.deployments | _told.outcomes | _told.outcomes | _told.pipelines | _told.incidents | _told.judgements,
        pauses=(0.0, 20.0, 70.0, 50_000.0),
    ),
    ModelCase(
        "guarded-telemetry",
        _telemetry,
        cases_telemetry.decisions | cases_telemetry.judgements | cases_telemetry.judgements,
        pauses=(0.0, 20.0, 50_000.0),
    ),
]
