"""GitHub's webhooks: stages, identities, and which payloads are none of the three events."""

import pytest

from tests.unit.events.formats.payloads import (
    REPOSITORY,
    SENDER,
    SHA,
    encoded,
    github_deployment,
    github_run,
    github_status,
    translated,
)
from vigia.events.deployments import Deployment
from vigia.events.formats import translate
from vigia.events.invalid import Reason

AT = "2026-05-15T15:22:00Z"
RUN = "https://github.com/acme/shop/actions/runs/900"
COMMIT = f"https://github.com/acme/shop/commit/{SHA}"


def one(body, headers=()):
    (event,) = translated(encoded(body), headers)
    return event


def test_the_events_of_a_deployment_name_one_deployment():
    bodies = [github_deployment(), *(github_status(state, AT, 1) for state in ("queued", "in_progress", "success"))]
    events = [one(body) for body in bodies]
    assert len({event.deployment_id for event in events}) == 1
    assert [event.stage for event in events] == ["planned", "planned", "started", "finished"]
    assert {event.version for event in events} == {SHA}


@pytest.mark.parametrize(
    ("state", "stage", "status"),
    [
        ("pending", "planned", ""),
        ("queued", "planned", ""),
        ("waiting", "planned", ""),
        ("in_progress", "started", ""),
        ("success", "finished", "succeeded"),
        ("failure", "finished", "failed"),
        ("error", "finished", "failed"),
    ],
)
def test_a_state_is_a_stage_at_its_own_time(state, stage, status):
    event = one(github_status(state, AT, 1))
    assert (event.stage, event.status, event.at) == (stage, status, 1778858520.0)


def test_a_deployment_that_another_replaced_stays_as_it_was():
    event = one(github_status("inactive", AT, 9))
    assert (event.stage, event.at) == ("planned", one(github_deployment()).at)


def test_two_statuses_are_two_events_and_a_redelivery_is_none():
    first, second = one(github_status("success", AT, 1)), one(github_status("success", AT, 2))
    assert first.identity != second.identity
    assert first.identity == one(github_status("success", AT, 1)).identity


def test_repositories_and_servers_do_not_share_numbers():
    elsewhere = github_deployment() | {"repository": REPOSITORY | {"html_url": "https://git.acme.example/acme/shop"}}
    assert one(elsewhere).deployment_id != one(github_deployment()).deployment_id


def test_a_deployment_names_the_run_that_made_it_or_else_its_commit():
    assert one(github_deployment(run=900)).runs == [RUN]
    assert one(github_status("success", AT, 1, run=900)).runs == [RUN]
    assert one(github_deployment()).runs == [COMMIT]
    assert one(github_deployment(sha=None)).runs == []
    for event in ("push", "merge_group", "release", "deployment"):
        assert one(github_run(event=event)).names == [RUN, COMMIT]


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "schedule", "workflow_dispatch", "", None])
def test_a_run_that_may_deploy_nothing_is_known_by_its_own_name_only(event):
    assert one(github_run(event=event)).names == [RUN]


def test_a_run_says_of_which_workflow_it_is():
    assert one(github_run(workflow=7)).pipeline == "7"
    gone = github_run()
    assert one(gone | {"workflow_run": gone["workflow_run"] | {"workflow_id": None}}).pipeline == ""
    refused = one(gone | {"workflow_run": gone["workflow_run"] | {"workflow_id": "7"}})
    assert (refused.reason, "workflow_run.workflow_id" in refused.detail) == (Reason.WRONG_TYPE, True)


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [
        ("success", "succeeded"),
        ("failure", "failed"),
        ("timed_out", "failed"),
        ("startup_failure", "failed"),
        ("cancelled", "cancelled"),
        ("skipped", "cancelled"),
        ("stale", "cancelled"),
        ("neutral", "unknown"),
        ("action_required", "unknown"),
    ],
)
def test_how_a_run_ended(conclusion, status):
    assert one(github_run(conclusion=conclusion)).status == status


def test_a_run_that_goes_on_is_told_too():
    assert one(github_run(action="requested")).status == "queued"
    assert one(github_run(action="in_progress")).status == "running"


def test_a_workflow_that_is_gone_is_null_and_its_run_is_one_all_the_same():
    assert one(github_run() | {"workflow": None}) == one(github_run())
    assert one(github_deployment(run=900) | {"workflow": None}) == one(github_deployment(run=900))
    status = github_status("success", AT, 1, run=900)
    assert one(status | {"workflow": None}) == one(status)


@pytest.mark.parametrize(
    "body",
    [
        {"action": "requested", "workflow_run": {}, "reviewers": []},
        {"ref": "refs/heads/main", "commits": []},
        {"action": "opened", "pull_request": {}},
        {"action": "created", "check_run": {}, "deployment": {}},
        {"action": "queued", "workflow_job": {}, "deployment": {}},
        {"action": "approved", "workflow_run": {}},
        {"action": "deleted", "workflow": {}, "workflow_run": {}},
        {"zen": "Keep it logically awesome.", "hook": {}},
    ],
)
def test_other_events_are_unknown(body):
    refused = one(body | {"repository": REPOSITORY, "sender": SENDER})
    assert refused.reason is Reason.UNKNOWN_TYPE


def test_the_header_says_which_event_it_is():
    refused = one(github_deployment(), [("X-GitHub-Event", b"push")])
    assert refused.reason is Reason.UNKNOWN_TYPE
    assert "'push'" in refused.detail
    assert isinstance(one(github_deployment(), [("x-github-event", b"deployment")]), Deployment)
    missing = one({"action": "created"}, [("X-GitHub-Event", b"deployment")])
    assert (missing.reason, "deployment.created_at" in missing.detail) == (Reason.MISSING_FIELD, True)


def test_an_organisations_event_without_repository_is_unknown():
    assert one({"action": "added", "sender": SENDER, "team": {}}).reason is Reason.UNKNOWN_TYPE


def test_the_longest_repository_still_meets_its_runs():
    address = f"https://github.com/{'o' * 39}/{'r' * 100}"
    long = {"repository": REPOSITORY | {"name": "r" * 100, "html_url": address}}
    assert one(github_deployment() | long).runs[0] in one(github_run() | long).names
    assert one(github_deployment(sha="0" * 40) | long).runs != one(github_deployment() | long).runs


def test_what_has_no_sender_is_none_of_theirs():
    assert translate(encoded({"repository": REPOSITORY, "deployment": {}, "action": "created"})) is None


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (github_deployment(number="42"), Reason.WRONG_TYPE, "deployment.id"),
        (github_deployment(number=-1), Reason.BAD_VALUE, "deployment.id"),
        (github_deployment(number=10**30), Reason.BAD_VALUE, "deployment.id"),
        (github_deployment(number=True), Reason.WRONG_TYPE, "deployment.id"),
        (github_deployment(number=None), Reason.MISSING_FIELD, "deployment.id"),
        (github_deployment(created_at="yesterday"), Reason.BAD_TIME, "deployment.created_at"),
        (github_deployment(created_at=None), Reason.MISSING_FIELD, "deployment.created_at"),
        (github_deployment(environment="prod\x00"), Reason.BAD_NAME, "environment"),
        (github_deployment(environment="p" * 300), Reason.BAD_NAME, "environment"),
        (github_deployment() | {"action": None}, Reason.MISSING_FIELD, "action"),
        (github_status("lost", AT, 1), Reason.BAD_VALUE, "deployment_status.state"),
        (github_run(conclusion="maybe"), Reason.BAD_VALUE, "workflow_run.conclusion"),
        (github_run(at="2026-13-01T00:00:00Z"), Reason.BAD_TIME, "workflow_run.updated_at"),
    ],
)
def test_what_is_wrong_is_named(body, reason, field):
    refused = one(body)
    assert refused.reason is reason
    assert field in refused.detail
