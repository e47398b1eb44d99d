"""The delivery metrics counted again, plainly, from a list of events: no states, no rows, no SQL, no classes."""

from collections import Counter
from typing import Any

from vigia.events.deployments import Deployment, deployment_id
from vigia.events.feedback import AttributionCorrected, IncidentOpened, IncidentResolved, Outcome

DAY = 86_400.0
STAGES = ["planned", "started", "finished"]


def deployments(events):
    """Each deployment, as all of its events together tell it."""
    told: dict[Any, list[Any]] = {}
    for event in events:
        if isinstance(event, Deployment):
            told.setdefault((event.scope, event.deployment_id), []).append(event)
    return [_deployment(scope, key, of_one, events) for (scope, key), of_one in told.items()]


def _deployment(scope, key, told, events):
    def latest(field):
        return max((event.at, getattr(event, field)) for event in told if getattr(event, field))[1]

    stage = max((event.stage for event in told), key=STAGES.index)
    ends = [(event.at, event.status) for event in told if event.stage == "finished"]
    finished, status = max(ends) if ends else (None, "")
    starts = [event.at for event in told if event.stage == "started"]
    plans = [event.at for event in told if event.stage == "planned"]
    kind = latest("kind")
    why = kind if kind != "deployment" else "not_finished" if stage != "finished" else status
    said = [
        (event.at, event.failed)
        for event in events
        if isinstance(event, Outcome)
        and (event.scope, event.deployment_id, event.label) == (scope, key, "intervention")
    ]
    commits: dict[str, list[float]] = {}
    for event in told:
        for commit in event.commits:
            times = commits.setdefault(commit.sha, [])
            times += [] if commit.committed_at is None else [commit.committed_at]
    exposed = None
    if finished is not None and why in {"succeeded", "failed"}:
        exposed = min(finished, max(min(starts, default=finished), finished - DAY))
    return {
        "id": key,
        "scope": scope,
        "service": latest("service"),
        "environment": latest("environment"),
        "at": finished if finished is not None else min(starts) if starts else min(plans),
        "why": "" if why == "succeeded" else why,
        "exposed": exposed,
        "needed": max(said, default=(0, False))[1],
        "commits": {sha: min(times, default=None) for sha, times in commits.items()},
        "resolves": {(source, number) for event in told for source, number in event.resolves},
    }


def incidents(events):
    """Each incident, as all of its events together tell it."""
    told: dict[Any, list[Any]] = {}
    for event in events:
        if isinstance(event, IncidentOpened | IncidentResolved | AttributionCorrected):
            told.setdefault((event.scope, event.incident_id), []).append(event)
    found = []
    for (scope, key), of_one in told.items():
        opened = [event for event in of_one if isinstance(event, IncidentOpened)]
        ends = [event.at for event in of_one if isinstance(event, IncidentResolved)]
        if not opened and not ends:
            continue
        ended = max(ends, default=None)
        if ended is not None and opened and ended < max(event.at for event in opened):
            ended = None
        corrections = [event for event in of_one if isinstance(event, AttributionCorrected)]
        found.append(
            {
                "id": key,
                "scope": scope,
                "service": of_one[0].service,
                "environment": "production",
                "opened": min((event.at for event in opened), default=None),
                "resolved": ended,
                "links": {link for event in opened for link in event.deployments},
                "corrected": max(corrections, key=lambda event: event.at, default=None),
            }
        )
    return found


def cause(incident, known, window):
    """The deployment that caused an incident, or why there is none."""
    by_name = {(each["scope"], each["id"]): each for each in known}

    def fit(each):
        if each["environment"] != "production":
            return "not_production"
        if each["exposed"] is None:
            return each["why"]
        return "deployed_later" if each["exposed"] > incident["opened"] else ""

    def found(name):
        return by_name.get((incident["scope"], deployment_id(*name)))

    corrected = incident["corrected"]
    if corrected is not None:
        if corrected.deployment is None:
            return None, "corrected_to_none"
        each = found(corrected.deployment)
        return (None, "unknown_deployment") if each is None else (each, fit(each))
    if incident["links"]:
        linked = [each for each in map(found, incident["links"]) if each is not None]
        if not linked:
            return None, "unknown_deployment"
        best = max(
            linked,
            key=lambda each: (
                not fit(each),
                each["exposed"] if each["exposed"] is not None else each["at"],
                each["id"],
            ),
        )
        return best, fit(best)
    before = [
        each
        for each in known
        if (each["scope"], each["service"]) == (incident["scope"], incident["service"])
        and not fit(each)
        and each["exposed"] > incident["opened"] - window
    ]
    if not before:
        return None, "no_deployment"
    return max(before, key=lambda each: (each["exposed"], each["id"])), ""


def recount(events, asked, since, until, window):  # noqa: C901, PLR0912, PLR0915 - plain on purpose
    """The metrics: `asked` says whether a (scope, service) is asked for. Order of `events` does not matter."""
    known = deployments(events)
    delivered = [each for each in known if each["environment"] == "production" and not each["why"]]
    here = [each for each in delivered if since <= each["at"] < until and asked(each["scope"], each["service"])]
    first: dict[str, float] = {}
    for each in delivered:
        first[each["service"]] = min(each["at"], first.get(each["service"], each["at"]))

    arrivals: dict[Any, list[float]] = {}
    for each in delivered:
        for sha in each["commits"]:
            arrivals.setdefault((each["scope"], each["service"], sha), []).append(each["at"])
    times: list[float] = []
    left_out: Counter[str] = Counter()
    for (scope, service, sha), ats in arrivals.items():
        at = min(ats)
        if not (since <= at < until and asked(scope, service)):
            continue
        made = [
            each["commits"][sha]
            for each in known
            if each["scope"] == scope and each["commits"].get(sha) is not None and _brought(each, service, known)
        ]
        if at == first[service]:
            left_out["first_deployment"] += 1
        elif not made:
            left_out["no_commit_time"] += 1
        elif min(made) > at:
            left_out["committed_later"] += 1
        else:
            times.append(at - min(made))
    left_out["no_commits"] = sum(not each["commits"] for each in here)

    failed = {
        (each["scope"], each["id"])
        for each in known
        if each["environment"] == "production"
        and each["why"] in {"", "failed"}
        and each["needed"]
        and _in(each, since, until, asked)
    }
    rework: set[Any] = set()
    recoveries: list[float] = []
    without: Counter[str] = Counter()
    for each in here:
        if each["resolves"]:
            rework.add((each["scope"], each["id"]))
    for incident in incidents(events):
        if incident["opened"] is None:
            of_asked = asked(incident["scope"], incident["service"])
            without["not_opened"] += of_asked and since <= incident["resolved"] < until
            continue
        by, why = cause(incident, known, window)
        if by is not None and not why and _in(by, since, until, asked):
            failed.add((by["scope"], by["id"]))
        if incident["resolved"] is not None:
            during = [
                each
                for each in delivered
                if (each["scope"], each["service"]) == (incident["scope"], incident["service"])
                and incident["opened"] < each["exposed"] <= incident["resolved"]
                and each["exposed"] < incident["opened"] + window
            ]
            last = max(during, key=lambda each: (each["exposed"], each["id"]), default=None)
            if last is not None and _in(last, since, until, asked):
                rework.add((last["scope"], last["id"]))
        if since <= incident["opened"] < until:
            of_asked = asked(incident["scope"], incident["service"])
            if why:
                without[why] += of_asked
            elif not asked(by["scope"], by["service"]):
                without["other_service"] += of_asked
            elif incident["resolved"] is None:
                without["not_resolved"] += 1
            else:
                recoveries.append(incident["resolved"] - incident["opened"])
    reached = {
        (each["scope"], each["id"])
        for each in known
        if each["why"] == "failed" and (each["scope"], each["id"]) in failed
    }
    return {
        "lead": sorted(times),
        "lead_out": +left_out,
        "deliveries": len(here),
        "failed": len(failed),
        "of": len(here) + len(reached),
        "rework": len(rework),
        "recoveries": sorted(recoveries),
        "incidents_out": +without,
    }


def _in(each, since, until, asked):
    return since <= each["at"] < until and asked(each["scope"], each["service"])


def _brought(each, service, known):
    """Whether a deployment's word on a commit is heard: it was delivered there."""
    return each["service"] == service and each["environment"] == "production" and not each["why"]
