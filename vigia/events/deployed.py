"""What the lanes of deployments tell the lanes of services: that a deployment has ended, on its own topic.

Lanes share nothing, and a deployment is told under its team, while what is found wrong is told under the service. Who
looks for deployments reads `deployments`; this is for our own lanes.
"""

from typing import Literal

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.deployments import Kind
from vigia.events.identity import derive_id
from vigia.events.names import check_name, check_optional_name
from vigia.events.times import Time, epoch_seconds

DEPLOYED = "deployed"
"""The topic that these events are published on."""

Ended = Literal["succeeded", "failed", "cancelled"]


class Deployed(EventStruct, tag_field="type", tag="deployed", frozen=True, kw_only=True):
    """A deployment has ended in an environment. What is told of the same end later stands in the place of this."""

    service: str
    deployment_id: str
    source: str
    external_id: str
    at: Time
    """When it ended."""
    status: Ended
    kind: Kind = "deployment"
    environment: str = DEFAULT_ENVIRONMENT
    version: str = ""
    commit: str = ""
    """The only commit that it brought, or the one that was made last; absent where that is not known."""

    def __post_init__(self) -> None:
        for field in ("service", "deployment_id", "source", "external_id", "environment"):
            check_name(getattr(self, field), field)
        for field in ("version", "commit"):
            check_optional_name(getattr(self, field), field)
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """All that it says: whatever is told again in the same words counts once."""
        what = (self.deployment_id, self.environment, self.status, self.kind, self.version, self.commit)
        return derive_id("deployed", *what, repr(self.at))

    @property
    def occurred_at(self) -> float:
        """When the deployment ended."""
        return self.at
