"""What of a deployment is a delivery, and which commits it was the first to bring.

Everything is a function of one deployment's own state, so no order of events matters, and none is too late. Where
deployments meet, in the row of a commit that several of them list, each adds what it knows to the row, and the earliest
delivery counts.
"""

from collections.abc import Iterator
from operator import itemgetter

import msgspec

from vigia.events import dora
from vigia.events.deployments import MAX_COMMITS, Deployment
from vigia.events.identity import derive_id
from vigia.events.summaries import DeliveredCommitSummary, DeliverySummary

LONGEST_ROLLOUT = dora.DAY
"""Seconds before its end from which a deployment may have touched users, at most, however early it was started."""

MAX_CARRIERS = 20
"""Most deployments that the row of a commit remembers, the earliest: one that is listed again each night is no news."""

Carrier = tuple[str, float | None, float | None]
"""A deployment's id, when it was delivered (None: it was not, or not here), and when it says the commit was made."""

_CARRIERS = msgspec.json.Decoder(list[Carrier])


class Brought(msgspec.Struct, array_like=True):
    """The commits of a deployment, part of its state."""

    commits: dict[str, float | None] = msgspec.field(default_factory=dict)
    """When each was made (epoch seconds), by sha; the earliest time that was told, None where none was."""
    told: tuple[str, str, float] | None = None
    """Service, environment and time under which the rows of the commits know the delivery."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployments model knows of a deployment, as far as it matters here. Times are epoch seconds."""

    deployment_id: str
    scope: str
    service: str
    environment: str
    kind: str
    stage: str
    status: str
    planned_at: float | None
    started_at: float | None
    finished_at: float | None
    intervention: bool | None
    listed: bool
    """Whether it came with its commits."""


def summary(known: Known) -> DeliverySummary:
    """Return the row of a deployment."""
    times = (known.finished_at, known.started_at, known.planned_at)
    at = next(time for time in times if time is not None)
    excluded = _excluded(known)
    exposed_at = _exposed_at(known) if excluded in {"", dora.FAILED} else None
    return DeliverySummary(
        deployment_id=known.deployment_id,
        scope=known.scope,
        service=known.service,
        environment=known.environment,
        at=at,
        day=int(at // dora.DAY),
        exposed_at=exposed_at,
        excluded=excluded,
        intervention=None if known.intervention is None else int(known.intervention),
        listed=int(known.listed),
        exposed_day=None if exposed_at is None else int(exposed_at // dora.DAY),
    )


def bring(brought: Brought, event: Deployment, known: Known) -> Iterator[DeliveredCommitSummary]:
    """Bring `brought` up to `event`, after which the deployment is as `known`; return what to merge into which rows."""
    changed = _add(brought.commits, event)
    now = None
    if known.finished_at is not None and not _excluded(known):
        now = known.service, known.environment, known.finished_at
    before = brought.told
    brought.told = now
    if before is not None and (now is None or before[:2] != now[:2]):
        for sha, made in brought.commits.items():
            yield _partial(known, (before[0], before[1], None), sha, made)
    if now is not None:
        for sha in changed if now == before else brought.commits:
            yield _partial(known, now, sha, brought.commits[sha])


def merge(row: DeliveredCommitSummary, partial: DeliveredCommitSummary) -> DeliveredCommitSummary:
    """Return the row of a commit with what `partial` says of some of its deployments; the last word of each counts."""
    carriers = {each[0]: each for each in _CARRIERS.decode(row.carriers)}
    carriers |= {each[0]: each for each in _CARRIERS.decode(partial.carriers)}
    return _with_carriers(row, list(carriers.values()))


def _excluded(known: Known) -> str:
    if known.kind not in {"", "deployment"}:
        return known.kind
    if known.stage != "finished":
        return dora.NOT_FINISHED
    return "" if known.status == "succeeded" else known.status


def _exposed_at(known: Known) -> float | None:
    if known.finished_at is None:
        return None
    started = known.finished_at if known.started_at is None else known.started_at
    return min(known.finished_at, max(started, known.finished_at - LONGEST_ROLLOUT))


def _add(commits: dict[str, float | None], event: Deployment) -> list[str]:
    """Put the commits of `event` among those known; return the shas of which that says something new."""
    changed = []
    for commit in event.commits:
        made = commit.committed_at
        if commit.sha not in commits:
            if len(commits) >= MAX_COMMITS:
                continue
        else:
            held = commits[commit.sha]
            if made is None or (held is not None and held <= made):
                continue
        commits[commit.sha] = made
        changed.append(commit.sha)
    return list(dict.fromkeys(changed))


def _partial(
    known: Known, place: tuple[str, str, float | None], sha: str, made: float | None
) -> DeliveredCommitSummary:
    service, environment, delivered_at = place
    row = DeliveredCommitSummary(
        commit_id=derive_id("commit", known.scope, service, environment, sha),
        scope=known.scope,
        service=service,
        environment=environment,
        sha=sha,
        deployment_id="",
        delivered_at=None,
        committed_at=None,
        lead_time=None,
        lead_class=None,
        carriers="[]",
    )
    return _with_carriers(row, [(known.deployment_id, delivered_at, made)])


def _with_carriers(row: DeliveredCommitSummary, carriers: list[Carrier]) -> DeliveredCommitSummary:
    delivered = sorted((each for each in carriers if each[1] is not None), key=itemgetter(1, 0))
    others = sorted((each for each in carriers if each[1] is None), key=itemgetter(0))
    kept = (delivered + others)[:MAX_CARRIERS]
    deployment_id, delivered_at, _ = delivered[0] if delivered else ("", None, None)
    made = min((each[2] for each in delivered if each[2] is not None), default=None)
    lead = None if delivered_at is None or made is None or made > delivered_at else delivered_at - made
    return msgspec.structs.replace(
        row,
        deployment_id=deployment_id,
        delivered_at=delivered_at,
        committed_at=made,
        lead_time=lead,
        lead_class=None if lead is None else dora.lead_class(lead),
        carriers=msgspec.json.encode(kept).decode(),
    )
