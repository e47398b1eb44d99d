"""What a scope keeps of its past: it fades, it is bounded, and it knows nothing of a deployment before its time."""

from hypothesis import given
from hypothesis import strategies as st

from vigia.events.deployments import Commit, Deployment
from vigia.events.summaries import IncidentSummary
from vigia.models.risk import context
from vigia.models.risk.context import DAY, HALF_LIFE, Context

AT = 1_700_000_000.0


def deployment(service="web", number=1, author="ada", at=AT):
    commits = [Commit(sha="a", author=author)] if author else []
    return Deployment(
        source="ci", external_id=str(number), service=service, stage="started", at=at, commits=commits, scope="shop"
    )


def incident(number=1, opened=AT, resolved=None, environment="production"):
    return IncidentSummary(
        incident_id=str(number),
        source="pager",
        external_id=str(number),
        scope="shop",
        service="web",
        environment=environment,
        severity="P1",
        title="",
        opened_at=opened,
        resolved_at=resolved,
    )


def seen(past, event, at=AT):
    return context.seen(past, event, at, context.authors_of(event))


def told(past, event, *, failed, at=AT):
    authors = context.authors_of(event)
    context.deployed(past, event.service, at, authors)
    if failed:
        context.failed(past, event.service, at, authors)


def test_of_a_first_deployment_nothing_is_known():
    assert seen(Context(), deployment()) == {}


def test_failures_of_service_and_author_are_known_afterwards_and_fade():
    past = Context()
    for _ in range(8):
        told(past, deployment(), failed=True)
    for _ in range(8):
        told(past, deployment(service="till", author="bob"), failed=False)
    ours, theirs = seen(past, deployment()), seen(past, deployment(service="till", author="bob"))
    assert ours["previous_failures"] == 8
    assert theirs["previous_failures"] == 0
    for name in ("service_failure_rate", "author_failure_rate"):
        assert ours[name] > 0.8
        assert theirs[name] < 0.1
    later = seen(past, deployment(), AT + HALF_LIFE)
    assert later["previous_failures"] == 4
    assert later["service_failure_rate"] < ours["service_failure_rate"]
    assert later["since_last_deployment"] == HALF_LIFE


def test_velocity_comes_to_the_rate_that_was_kept():
    past = Context()
    for day in range(1_000):
        context.deployed(past, "web", day * DAY / 2, ())
    assert abs(seen(past, deployment(), 500 * DAY)["team_velocity"] - 14.0) < 0.3


def test_deployments_are_in_flight_until_they_finish_or_a_day_has_passed():
    past = Context()
    context.deployed(past, "web", AT, ())
    for number in (1, 2, 3):
        context.flies(past, "web", deployment(number=number).deployment_id, AT)
    assert seen(past, deployment(number=1))["in_flight"] == 2
    context.flies(past, "web", deployment(number=2).deployment_id, None)
    assert seen(past, deployment(number=1))["in_flight"] == 1
    assert seen(past, deployment(number=1), AT + DAY)["in_flight"] == 0


def test_an_incident_is_open_in_its_environment_from_its_opening_until_its_end_is_known():
    past = Context()
    context.put_incident(past, incident())
    assert seen(past, deployment())["open_incident"] == 1
    assert seen(past, deployment(), AT - context.SKEW - 1)["open_incident"] == 0
    context.put_incident(past, incident(environment="staging"))
    assert seen(past, deployment())["open_incident"] == 0
    context.put_incident(past, incident(resolved=AT + 60))
    assert seen(past, deployment(), AT + 60)["open_incident"] == 0


def test_the_resolved_incidents_are_let_go_first():
    past = Context()
    context.put_incident(past, incident(0))
    for number in range(1, 2 * context.MAX_INCIDENTS):
        context.put_incident(past, incident(number, opened=AT + number, resolved=AT + number + 1))
    held = past.services["web"].incidents
    assert len(held) == context.MAX_INCIDENTS
    assert "0" in held


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 60)), max_size=700))
def test_everything_that_is_kept_is_bounded(events):
    past = Context()
    for service, author, number in events:
        event = deployment(str(service), number, str(author))
        told(past, event, failed=bool(number % 2))
        context.flies(past, event.service, event.deployment_id, AT)
    assert len(past.services) <= context.MAX_SERVICES
    assert len(past.authors) <= context.MAX_AUTHORS
    assert all(len(each.in_flight) <= context.MAX_IN_FLIGHT for each in past.services.values())
    # the latest are the ones that are kept
    latest = list(dict.fromkeys(str(service) for service, _, _ in reversed(events)))[: context.MAX_SERVICES]
    assert set(latest) == set(past.services)


def test_a_track_record_is_corrected_within_its_bounds():
    past = Context()
    context.judge(past, "web", right=True, failed=False)
    context.judge_again(past, "web", right=False)
    context.judge_again(past, "web", right=False)
    one = past.services["web"]
    assert (one.judged, one.right, one.failures) == (1, 0, 1)
