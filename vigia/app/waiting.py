"""For how long a deployment must be silent to count as clean, by kind of label, as the settings have it."""

from collections.abc import Mapping

from vigia.events.feedback import Label
from vigia.settings import Settings


def waiting_times(settings: Settings) -> Mapping[Label, float]:
    """Return the seconds by kind; of a kind that is not among them, silence says nothing."""
    return {"intervention": settings.risk.waiting_time_intervention, "defect": settings.risk.waiting_time}
