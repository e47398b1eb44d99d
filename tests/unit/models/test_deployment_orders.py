"""However the events of a deployment arrive, and however often, they make one row: as other tools send them, too."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.events.formats.payloads import (
    alert,
    cdevent,
    encoded,
    github_deployment,
    github_run,
    github_status,
    notification,
    translated,
)
from tests.unit.models.laws import START, Lane, Sent
from vigia.events.deployments import Commit, Deployment
from vigia.events.feedback import ChangeMerged, IncidentOpened, Outcome, PipelineRun
from vigia.events.summaries import DeliveredCommitSummary, DeploymentSummary, IncidentSummary
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.runs import MAX_CHANGES, MAX_DEPLOYMENTS, MAX_PIPELINES, finish
from vigia.models.deployments.states import SCHEMA, RunState, deployment_key, run_key

SCOPE = "shop"


def events_of(*bodies):
    """The events of payloads, as the intake hands them to the model: with their scope."""
    found = [event for body in bodies for event in translated(encoded(body)) if hasattr(event, "scope")]
    return [msgspec.structs.replace(event, scope=SCOPE) for event in found]


def told(events, lane=None):
    """A lane that was told each event once, as a step does, and then what it told itself, until nothing follows."""
    lane = lane or Lane(DeploymentsModel())
    seen, waiting = set(), list(events)
    while waiting:
        event = waiting.pop(0)
        if event.identity in seen:
            continue
        seen.add(event.identity)
        before = len(lane.outputs)
        lane.run([Sent(event, START)])
        waiting += [each.event for each in lane.outputs[before:] if each.topic in {"deployments", "feedback"}]
    return lane


def rows(lane, kind=DeploymentSummary):
    return [each for each in lane.rows.values() if isinstance(each, kind)]


def github(run, conclusion="success", state="success"):
    """The events of one deployment: its own, two statuses, and its workflow run."""
    return events_of(
        github_deployment(run=run),
        github_status("in_progress", "2026-05-15T15:21:30Z", 1, run=run),
        github_status(state, "2026-05-15T15:22:40Z", 2, run=run),
        github_run(900, conclusion=conclusion),
    )


@pytest.mark.parametrize("run", [900, None], ids=["by its run", "by its commit"])
@pytest.mark.parametrize(("conclusion", "outcome"), [("success", "succeeded"), ("failure", "failed"), ("neutral", "")])
def test_the_four_events_of_a_deployment_on_github_are_one_deployment(run, conclusion, outcome):
    made = [rows(told(events)) for events in permutations(github(run, conclusion))]
    assert all(each == made[0] for each in made)
    (row,) = made[0]
    assert (row.stage, row.status, row.service, row.environment) == ("finished", "succeeded", "shop", "production")
    assert (row.planned_at, row.started_at, row.finished_at) == (1778858453.0, 1778858490.0, 1778858560.0)
    assert (row.outcome, row.outcome_label) == (outcome, "ci_status" if outcome else "")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_order_with_any_repeats_gives_the_same_row_and_is_learned_once(data):
    events = github(data.draw(st.sampled_from([900, None])), "failure", "failure")
    extra = events_of(
        github_status("queued", "2026-05-15T15:21:00Z", 3),
        github_status("inactive", "2026-05-15T16:00:00Z", 4),
        github_run(900, action="requested"),
        github_run(900, action="in_progress"),
    )
    whole = events + extra
    order = data.draw(st.permutations(whole + data.draw(st.lists(st.sampled_from(whole), max_size=6))))
    lane = told(order)
    assert rows(lane) == rows(told(whole))
    assert lane.counts == told(whole).counts


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_events_that_contradict_each_other_make_the_same_row_in_any_order(data):
    event = st.builds(
        Deployment,
        source=st.just("ci"),
        external_id=st.just("1"),
        scope=st.just(SCOPE),
        service=st.sampled_from(["web", "till"]),
        environment=st.sampled_from(["production", "staging"]),
        version=st.sampled_from(["", "7", "8"]),
        kind=st.sampled_from(["deployment", "rollback"]),
        stage=st.just("planned"),
        at=st.sampled_from([START, START + 1, START + 2]),
        event_id=st.uuids().map(str),
    )
    events = data.draw(st.lists(event, min_size=2, max_size=5))
    shuffled = data.draw(st.permutations(events))
    assert rows(told(shuffled)) == rows(told(events))


LABELS = ("intervention", "defect", "ci_status")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_failure_that_was_told_is_learned_in_whatever_order_answers_come(data):
    whole = Deployment(source="ci", external_id="1", scope=SCOPE, service="web", stage="planned", at=START)
    answer = st.builds(
        Outcome,
        source=st.just("ci"),
        external_id=st.just("1"),
        scope=st.just(SCOPE),
        service=st.just("web"),
        at=st.sampled_from([START, START + 1, START + 2]),
        failed=st.booleans(),
        label=st.sampled_from(LABELS),
        event_id=st.uuids().map(str),
    )
    answers = data.draw(st.lists(answer, min_size=2, max_size=5))
    lane = told(data.draw(st.permutations([whole, *answers])))
    state, scope = lane.states[deployment_key(SCOPE, whole.deployment_id)], lane.states[f"scope:{SCOPE}"]
    failed = {each.label for each in answers if each.failed}
    clean = {each.label for each in answers} - failed
    assert {label for label, lesson in state.lessons.items() if lesson.target == 1.0} == failed
    assert scope.told == dict.fromkeys(failed, (1, 0)) | dict.fromkeys(clean, (0, 1))
    assert state.failed == bool(failed)
    assert scope.context.services["web"].failures == (state.label in failed)


def test_the_latest_to_name_something_counts():
    first = Deployment(source="ci", external_id="1", scope=SCOPE, service="web", stage="planned", at=START, version="7")
    later = msgspec.structs.replace(first, at=START + 9, stage="started", environment="staging", version="")
    for order in ([first, later], [later, first]):
        (row,) = rows(told(order))
        assert (row.environment, row.version) == ("staging", "7")


# runs


def run(at=START, status="failed", names=("run/1",), number="r1"):
    return PipelineRun(
        source="ci", external_id=number, scope=SCOPE, service="web", at=at, status=status, names=list(names)
    )


def deployment(number="1", **fields):
    return Deployment(
        **{"source": "ci", "external_id": number, "scope": SCOPE, "service": "web", "stage": "started", "at": START}
        | {"runs": ["run/1"]}
        | fields
    )


def outcomes(lane):
    return {(each.event.external_id, each.event.failed) for each in lane.outputs if isinstance(each.event, Outcome)}


def test_a_run_speaks_for_each_deployment_that_names_it():
    for order in permutations([run(), deployment("1"), deployment("2"), deployment("3", runs=["run/2"])]):
        assert outcomes(told(order)) == {("1", True), ("2", True)}


def test_a_run_that_was_tried_again_counts_as_it_ended():
    for order in permutations([run(START, "failed"), run(START + 60, "succeeded"), deployment()]):
        (row,) = rows(told(order))
        assert row.outcome == "succeeded"


def test_a_run_that_goes_on_or_was_cancelled_says_nothing():
    for status in ("queued", "running", "cancelled", "unknown"):
        assert outcomes(told([run(status=status), deployment()])) == set()


WORKFLOWS = [
    github_run(900, conclusion="success", at="2026-05-15T15:23:00Z", workflow=1),
    github_run(901, conclusion="failure", at="2026-05-15T15:24:00Z", workflow=2),
    github_run(902, conclusion="success", at="2026-05-15T15:25:00Z", workflow=3),
]


def test_a_failed_workflow_is_not_hidden_by_others_of_its_commit():
    for order in permutations(events_of(github_deployment(), *WORKFLOWS)):
        (row,) = rows(told(order))
        assert (row.outcome, row.outcome_label, row.outcome_at) == ("failed", "ci_status", 1778858640.0)


def test_a_workflow_that_was_run_again_counts_as_it_ended():
    again = github_run(903, conclusion="success", at="2026-05-15T15:30:00Z", workflow=2)
    for order in permutations(events_of(github_deployment(), *WORKFLOWS[:2], again)):
        (row,) = rows(told(order))
        assert (row.outcome, row.outcome_at) == ("succeeded", 1778859000.0)


@pytest.mark.parametrize(
    "event", ["pull_request", "schedule", "workflow_dispatch", "repository_dispatch", "workflow_run"]
)
def test_a_run_that_deploys_nothing_says_nothing_of_its_commits_deployments(event):
    other = github_run(901, conclusion="failure", at="2026-05-15T15:24:00Z", event=event)
    for order in permutations(events_of(github_deployment(), other)):
        assert rows(told(order))[0].outcome == ""
    for order in permutations(events_of(github_deployment(run=901), other)):
        assert rows(told(order))[0].outcome == "failed"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_runs_of_several_workflows_make_the_same_row_in_any_order(data):
    runs = st.builds(
        PipelineRun,
        source=st.just("ci"),
        external_id=st.sampled_from(["r1", "r2", "r3"]),
        scope=st.just(SCOPE),
        at=st.sampled_from([START, START + 60, START + 120]),
        status=st.sampled_from(["succeeded", "failed", "cancelled"]),
        names=st.just(["run/1"]),
        pipeline=st.sampled_from(["build", "test", "deploy"]),
        event_id=st.uuids().map(str),
    )
    events = [deployment("1"), deployment("2"), *data.draw(st.lists(runs, min_size=1, max_size=6))]
    expected = sorted(map(repr, rows(told(events))))
    assert sorted(map(repr, rows(told(data.draw(st.permutations(events)))))) == expected
    latest: dict[str, tuple[float, bool]] = {}
    for each in events[2:]:
        if each.status != "cancelled":
            latest[each.pipeline] = max(latest.get(each.pipeline, (0.0, False)), (each.at, each.status == "failed"))
    outcome = "failed" if any(end[1] for end in latest.values()) else "succeeded"
    assert {row.outcome for row in rows(told(events))} == {outcome if latest else ""}


def test_what_the_release_before_knew_of_a_run_is_read():
    before = msgspec.msgpack.encode([[["ci", "1", "web", "production"]], [START, True, "r1"], []])
    state = DeploymentsModel().load(run_key(SCOPE, "run/1"), SCHEMA, before)
    assert isinstance(state, RunState)
    other, again = run(START + 1, "succeeded", number="r2"), run(START + 2, "succeeded")
    assert list(finish(state, msgspec.structs.replace(other, pipeline="test"))) == []
    (follows,) = finish(state, msgspec.structs.replace(again, pipeline="deploy"))
    assert isinstance(follows, Outcome)
    assert (follows.failed, follows.since) == (False, START + 2)
    stored = msgspec.msgpack.decode(DeploymentsModel().dump("", state))
    assert stored[1] == [START + 2, False, "r1"]


def test_one_name_remembers_a_bounded_number_of_pipelines():
    state = RunState()
    for number in range(MAX_PIPELINES + 5):
        list(finish(state, msgspec.structs.replace(run(), pipeline=str(number))))
    assert len(state.ends) == MAX_PIPELINES


def test_a_rollback_is_not_judged_by_the_run_of_what_it_rolled_back():
    lane = told([run(), deployment(kind="rollback")])
    assert outcomes(lane) == set()
    assert rows(lane)[0].kind == "rollback"


def test_runs_of_another_scope_are_others():
    assert outcomes(told([msgspec.structs.replace(run(), scope="pay"), deployment()])) == set()


def test_a_merged_change_is_a_commit_of_the_deployments_of_its_chain():
    merged = ChangeMerged(
        source="git", external_id="9fceb02", scope=SCOPE, service="web", at=START - 600, names=["run/1"]
    )
    for order in permutations([merged, deployment(), run(status="succeeded")]):
        (row,) = rows(told(order))
        assert (row.commits, row.planned_at, row.started_at) == (1, START - 600, START)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_all_changes_merged_before_a_deployment_are_its_commits_in_any_order(data):
    count = data.draw(st.integers(2, 6))
    made = [START - 600 * number for number in range(1, count + 1)]
    changes = [
        ChangeMerged(source="git", external_id=f"c{index}", scope=SCOPE, service="web", at=at, names=["run/1"])
        for index, at in enumerate(made)
    ]
    done = deployment(stage="finished", status="succeeded")
    order = data.draw(st.permutations([*changes, deployment(), done]))
    lane = told([*order, *data.draw(st.lists(st.sampled_from(order), max_size=3))])
    (row,) = rows(lane)
    assert (row.commits, row.planned_at) == (count, min(made))
    delivered = rows(lane, DeliveredCommitSummary)
    assert {(each.sha, each.committed_at, each.lead_time) for each in delivered} == {
        (f"c{index}", at, START - at) for index, at in enumerate(made)
    }


def test_a_commit_that_several_events_list_is_one():
    listed = [
        deployment(commits=[Commit(sha=sha) for sha in shas], stage="planned", event_id=shas) for shas in ("ab", "bc")
    ]
    for order in permutations(listed):
        (row,) = rows(told(order))
        assert row.commits == 3


def test_a_chain_of_cdevents_is_tied_together():
    bodies = [
        cdevent("change.merged", content={"repository": {"id": "acme/shop"}}, id="1", timestamp="2026-03-20T14:00:00Z"),
        cdevent(id="2"),
        cdevent("pipelinerun.finished", content={"pipelineName": "deploy", "outcome": "failure"}, id="3"),
    ]
    for order in permutations(events_of(*bodies)):
        (row,) = rows(told(order))
        assert (row.commits, row.outcome, row.status) == (1, "failed", "succeeded")


def test_one_name_remembers_a_bounded_number():
    many = [deployment(str(number)) for number in range(MAX_DEPLOYMENTS + 5)]
    changes = [
        ChangeMerged(source="git", external_id=str(number), scope=SCOPE, service="web", at=START, names=["run/1"])
        for number in range(MAX_CHANGES + 5)
    ]
    lane = Lane(DeploymentsModel()).run([Sent(event, START) for event in many + changes])
    (state,) = [state for key, state in lane.states.items() if key.startswith("run:")]
    assert (len(state.deployments), len(state.changes)) == (MAX_DEPLOYMENTS, MAX_CHANGES)


# incidents


def test_an_alert_is_one_incident_whatever_its_notifications_say_and_in_which_order():
    texts = [alert() | {"annotations": {"summary": f"5xx above {number} %"}} for number in (5, 7)]
    events = events_of(*map(notification, texts), notification(alert("resolved", ended="2026-08-03T10:00:00Z")))
    made = [rows(told(order), IncidentSummary) for order in permutations(events)]
    assert all(each == made[0] for each in made)
    (row,) = made[0]
    assert (row.title, row.resolved_at) == ("5xx above 7 %", 1785751200.0)


def test_of_two_openings_at_one_time_the_worse_counts():
    openings = [
        IncidentOpened(source="p", external_id="1", scope=SCOPE, at=START, severity=severity, event_id=severity)
        for severity in ("P3", "P1", "P2")
    ]
    for order in permutations(openings):
        assert rows(told(order), IncidentSummary)[0].severity == "P1"
