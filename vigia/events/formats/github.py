"""GitHub's webhooks: `deployment`, `deployment_status`, `workflow_run`.

A deployment is known by its repository and number, so its own event and its statuses are one deployment. A workflow run
does not know what it deployed; the deployment names the run, or where no run made it, its commit. A commit has runs
that deploy nothing, too: of those only some causes count, and each workflow for itself.
"""

import re
from typing import Literal, get_args

from vigia.events.base import Event
from vigia.events.deployments import Deployment, Stage, Status
from vigia.events.feedback import PipelineRun, RunStatus
from vigia.events.formats.environments import environment_of
from vigia.events.formats.reading import Headers, Json, choice, is_object, look, moment, number, optional_text, text
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import MAX_NAME

Kind = Literal["deployment", "deployment_status", "workflow_run"]

_HEADER = "x-github-event"

_NAME = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)
"""What names of events and actions look like: there are about seventy, and each year brings new ones."""

_RUN_ACTIONS = ("requested", "in_progress", "completed")

DEPLOYING = ("push", "merge_group", "release", "deployment")
"""What causes a run that may speak for the deployments of its commit, besides those that name the run itself. Not
`workflow_dispatch`: a person may start anything by hand, and a run that deploys is named by its deployment."""

_TELLING = ("deployment", "deployment_status", "workflow", "workflow_run", "workflow_job", "check_run")
"""The objects that tell a payload's event when no header does: checks and jobs have a deployment, too."""

_NOW, _THEN = "deployment_status.created_at", "deployment.created_at"

_STATES: dict[str, tuple[Stage, Status, str]] = {
    "pending": ("planned", "", _NOW),
    "queued": ("planned", "", _NOW),
    "waiting": ("planned", "", _NOW),
    "in_progress": ("started", "", _NOW),
    "success": ("finished", "succeeded", _NOW),
    "failure": ("finished", "failed", _NOW),
    "error": ("finished", "failed", _NOW),
    # a later deployment took its place: nothing new of this one
    "inactive": ("planned", "", _THEN),
}
"""What a state says: the stage, the status, and where its time is."""

_CONCLUSIONS: dict[str, RunStatus] = {
    "success": "succeeded",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    "skipped": "cancelled",
    "stale": "cancelled",
    "neutral": "unknown",
    "action_required": "unknown",
}


def kind_in(headers: Headers) -> str:
    """Return the event's name in the headers, or empty."""
    values = (value for name, value in headers if value and name.lower() == _HEADER)
    return next(values, b"").decode("utf-8", "replace").strip()


def kind_of(body: Json, headers: Headers) -> str | None:
    """Return which event a payload is, None when it is none of GitHub's."""
    named = kind_in(headers)
    if named:
        return named
    # some events are of an organisation, and have no repository
    if not is_object(body.get("sender")) or not ("repository" in body or "action" in body):
        return None
    held = {name for name in _TELLING if is_object(body.get(name))}
    if "deployment_status" in held:
        return "deployment_status"
    if "deployment" in held and held <= {"deployment", "workflow", "workflow_run"}:
        return "deployment"
    # a run whose workflow is gone says null there; a review of a deployment has a run, and no workflow
    of_run = "workflow" in body and "workflow_run" in held <= {"workflow", "workflow_run"}
    return "workflow_run" if of_run else ""


def events(body: Json, kind: str) -> list[Event]:
    """Return what a payload says; raises InvalidEvent."""
    if kind not in get_args(Kind):
        # without the header it must look like one of theirs
        known = bool(_NAME.fullmatch(kind)) or (not kind and _is_theirs(body))
        raise _unknown(f"of GitHub's events {', '.join(get_args(Kind))} are understood", kind, known=known)
    action = text(body, "action")
    actions = _RUN_ACTIONS if kind == "workflow_run" else ("created",)
    if action not in actions:
        known = bool(_NAME.fullmatch(action)) and _is_theirs(body)
        raise _unknown(f"of {kind} the actions {', '.join(actions)} are understood", action, known=known)
    if kind == "workflow_run":
        return [_workflow_run(body, action)]
    return [_deployment(body) if kind == "deployment" else _status(body)]


def _unknown(understood: str, what: str, *, known: bool) -> InvalidEvent:
    detail = f"{understood}, not {repr(what[:64]) if what else 'what this payload is'}"
    return InvalidEvent(Reason.UNKNOWN_TYPE, f"not needed: {detail}" if known else detail, unneeded=known)


def _is_theirs(body: Json) -> bool:
    """Return whether a payload names who did it and where, as all but a few of theirs do."""
    sender, place = body.get("sender"), body.get("repository") or body.get("organization")
    return (
        isinstance(sender, dict)
        and isinstance(sender.get("login"), str)
        and isinstance(place, dict)
        and isinstance(place.get("full_name") or place.get("login"), str)
    )


def _deployment(body: Json) -> Deployment:
    return _made(body, "planned", "", moment(body, "deployment.created_at"), "")


def _status(body: Json) -> Deployment:
    stage, status, since = choice(body, "deployment_status.state", _STATES)
    at = moment(body, since)
    status_id = number(body, "deployment_status.id")
    return _made(body, stage, status, at, derive_id("github-status", _repository(body), str(status_id)))


def _made(body: Json, stage: Stage, status: Status, at: float, event_id: str) -> Deployment:
    repository = _repository(body)
    sha = optional_text(body, "deployment.sha")
    return Deployment(
        source=repository,
        external_id=str(number(body, "deployment.id")),
        service=text(body, "repository.name"),
        environment=environment_of(text(body, "deployment.environment")),
        version=sha,
        stage=stage,
        status=status,
        at=at,
        event_id=event_id,
        runs=[_run_name(body)] if is_object(body.get("workflow_run")) else [_commit_name(repository, sha)] * bool(sha),
    )


def _workflow_run(body: Json, action: str) -> PipelineRun:
    repository, sha = _repository(body), optional_text(body, "workflow_run.head_sha")
    run = number(body, "workflow_run.id")
    workflow = look(body, "workflow_run.workflow_id")
    speaks = bool(sha) and optional_text(body, "workflow_run.event") in DEPLOYING
    return PipelineRun(
        source=repository,
        external_id=str(run),
        service=text(body, "repository.name"),
        status=_run_status(body, action),
        at=moment(body, "workflow_run.updated_at"),
        names=[_run_name(body)] + [_commit_name(repository, sha)] * speaks,
        pipeline="" if workflow is None else str(number(body, "workflow_run.workflow_id")),
    )


def _run_status(body: Json, action: str) -> RunStatus:
    if action == "completed":
        return choice(body, "workflow_run.conclusion", _CONCLUSIONS)
    return "queued" if action == "requested" else "running"


def _repository(body: Json) -> str:
    """The repository's address: it tells github.com's from those of a company's own server."""
    return text(body, "repository.html_url")


def _run_name(body: Json) -> str:
    return _name(f"{_repository(body)}/actions/runs/{number(body, 'workflow_run.id')}")


def _commit_name(repository: str, sha: str) -> str:
    return _name(f"{repository}/commit/{sha}")


def _name(address: str) -> str:
    """The address of a repository with the longest name that GitHub allows is longer than a name may be here."""
    return address if len(address) <= MAX_NAME else derive_id("address", address)
