"""The step of every agent, as the settings want it: the same for a worker and for a rebuild from the raw log."""

from vigia.app.files import read_catalog, read_guard
from vigia.app.routes import ROUTES
from vigia.events.feedback import DecisionFeedback
from vigia.settings import Settings
from vigia.streaming.compute import StepLimits
from vigia.streaming.flood import FloodLimits
from vigia.streaming.forms import Forms
from vigia.streaming.intake import Intake
from vigia.streaming.ports import Ports
from vigia.streaming.step import Step
from vigia.topics import TOPICS


def make_steps(settings: Settings, ports: Ports, forms: Forms | None = None) -> dict[str, Step]:
    """Return the step of each line of ROUTES, by its agent; without `forms` states are written in their newest form."""
    stream = settings.stream
    catalog = read_catalog(settings.catalog)
    refusal = read_guard(settings).refusal
    limits = StepLimits(
        FloodLimits(stream.invalid_ratio, stream.invalid_minimum, stream.invalid_run),
        stream.seen_horizon,
        forms or Forms(),
    )
    elsewhere = [topic for topic in TOPICS if topic.formats]
    steps = {}
    for row in ROUTES:
        route = row.route(settings)
        intakes = {
            topic.name: Intake(
                topic,
                catalog.scope_of,
                stream.future_limit,
                elsewhere,
                refusal if DecisionFeedback in topic.types else None,
            )
            for topic in route.topics
        }
        steps[route.agent] = Step(route, intakes, limits, ports)
    return steps
