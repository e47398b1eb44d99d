"""The words of the delivery metrics (DORA): why a deployment, commit or incident is not counted, and what that means.

Reasons stand in rows and answers as they are here; `MEANINGS` says each in a sentence.
"""

from math import log1p
from typing import Literal

DAY = 86_400.0
"""Seconds; days begin at midnight UTC."""

CLASSES_PER_E = 75
"""Classes of lead time for each factor of e: they are 1.3 % wide."""


def lead_class(seconds: float) -> int:
    """Return the class of a lead time; a longer one never has a lower class.

    >>> lead_class(3600.0), lead_class(3600.0 * 1.02) - lead_class(3600.0) <= 2
    (614, True)
    """
    return int(log1p(seconds) * CLASSES_PER_E)


NOT_FINISHED = "not_finished"
FAILED = "failed"
CANCELLED = "cancelled"
ROLLBACK = "rollback"
PUBLICATION = "publication"
REMOVAL = "removal"
NOT_PRODUCTION = "not_production"
FIRST_DEPLOYMENT = "first_deployment"
NO_COMMITS = "no_commits"
NO_COMMIT_TIME = "no_commit_time"
COMMITTED_LATER = "committed_later"
NO_SERVICE = "no_service"
NO_DEPLOYMENT = "no_deployment"
UNKNOWN_DEPLOYMENT = "unknown_deployment"
DEPLOYED_LATER = "deployed_later"
CORRECTED_TO_NONE = "corrected_to_none"
NOT_RESOLVED = "not_resolved"
NO_INCIDENT = "no_incident"
NOT_OPENED = "not_opened"
OTHER_SERVICE = "other_service"

MEANINGS: dict[str, str] = {
    NOT_FINISHED: "deployments that were planned or started, and not finished",
    FAILED: "deployments that failed, with no incident that shows that they reached users",
    CANCELLED: "deployments that were cancelled",
    ROLLBACK: "rollbacks: they bring no change",
    PUBLICATION: "publications of what was deployed already",
    REMOVAL: "removals of a service",
    NOT_PRODUCTION: "in another environment than production",
    FIRST_DEPLOYMENT: "commits of a service's first deployment: its history would count as waiting",
    NO_COMMITS: "deployments that came without their commits",
    NO_COMMIT_TIME: "commits without the time at which they were made",
    COMMITTED_LATER: "commits made after they were deployed: clocks disagree, or a commit was rewritten",
    NO_SERVICE: "incidents that name no service",
    NO_DEPLOYMENT: "incidents with no link to a deployment, and none of the service shortly before",
    UNKNOWN_DEPLOYMENT: "incidents linked to a deployment that was never told of under their team",
    DEPLOYED_LATER: "incidents linked to a deployment that began after them",
    CORRECTED_TO_NONE: "incidents that a person says no deployment caused",
    NOT_RESOLVED: "incidents that are not resolved",
    NOT_OPENED: "incidents whose beginning nobody told",
    OTHER_SERVICE: "incidents that a deployment of another service or team caused",
    NO_INCIDENT: "failed deployments without an incident: nothing says when users were served again",
}
"""What each reason means."""

Kind = Literal["linked", "corrected", "resolves"]
"""How an incident and a deployment were said to belong together; see `AttributionSummary`."""

LINKED: Kind = "linked"
CORRECTED: Kind = "corrected"
RESOLVES: Kind = "resolves"
