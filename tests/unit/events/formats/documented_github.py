"""GitHub's webhooks with the fields that its documentation shows, and made-up values."""

from typing import Any

SHA = "4be7c0d9a1f2e3b4c5d6e7f8091a2b3c4d5e6f70"
WEB = "https://github.com/harbour-works/tide-tables"
API = "https://api.github.com/repos/harbour-works/tide-tables"
PERSON = {"login": "mona-lake", "id": 77120, "node_id": "U_kgDOAAEtQA", "type": "User", "site_admin": False}
BOT = {"login": "vercel[bot]", "id": 35613825, "node_id": "MDM6Qm90", "type": "Bot", "site_admin": False}
COMMON: dict[str, Any] = {
    "repository": {
        "id": 530441,
        "node_id": "R_kgDOH5",
        "name": "tide-tables",
        "full_name": "harbour-works/tide-tables",
        "private": True,
        "owner": {"login": "harbour-works", "id": 991, "type": "Organization"},
        "html_url": WEB,
        "url": API,
        "default_branch": "main",
    },
    "organization": {"login": "harbour-works", "id": 991, "url": "https://api.github.com/orgs/harbour-works"},
    "sender": PERSON,
    "installation": {"id": 4477, "node_id": "MDIz"},
}
WORKFLOW = {
    "id": 6112,
    "node_id": "W_kwDO",
    "name": "Ship it",
    "path": ".github/workflows/ship.yml",
    "state": "active",
    "created_at": "2026-01-05T08:00:00.000+01:00",
    "url": f"{API}/actions/workflows/6112",
}


def deployment(environment: str = "production", number: int = 80331, **fields: Any) -> dict[str, Any]:
    return {
        "url": f"{API}/deployments/{number}",
        "id": number,
        "node_id": "DE_kwDO",
        "task": "deploy",
        "original_environment": environment,
        "environment": environment,
        "description": None,
        "created_at": "2026-04-09T06:10:00Z",
        "updated_at": "2026-04-09T06:10:00Z",
        "statuses_url": f"{API}/deployments/{number}/statuses",
        "repository_url": API,
        "creator": PERSON,
        "sha": SHA,
        "ref": "main",
        "payload": {},
        "transient_environment": False,
        "production_environment": False,
        "performed_via_github_app": None,
    } | fields


def status(state: str, environment: str = "production", **fields: Any) -> dict[str, Any]:
    return {
        "url": f"{API}/deployments/80331/statuses/501",
        "id": 501,
        "node_id": "DES_kw",
        "state": state,
        "creator": PERSON,
        "description": "",
        "environment": environment,
        "target_url": f"{WEB}/actions/runs/7001/job/1",
        "created_at": "2026-04-09T06:14:30Z",
        "updated_at": "2026-04-09T06:14:30Z",
        "deployment_url": f"{API}/deployments/80331",
        "repository_url": API,
        "environment_url": "",
        "log_url": f"{WEB}/actions/runs/7001/job/1",
        "performed_via_github_app": None,
    } | fields


def run(event: str, state: str, conclusion: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "id": 7001,
        "name": "Ship it",
        "node_id": "WFR_kw",
        "head_branch": "main",
        "head_sha": SHA,
        "path": ".github/workflows/ship.yml",
        "display_title": "Round the tides",
        "run_number": 12,
        "run_attempt": 1,
        "event": event,
        "status": state,
        "conclusion": conclusion,
        "workflow_id": 6112,
        "check_suite_id": 31,
        "url": f"{API}/actions/runs/7001",
        "html_url": f"{WEB}/actions/runs/7001",
        "pull_requests": [],
        "created_at": "2026-04-09T06:09:00Z",
        "updated_at": "2026-04-09T06:16:00Z",
        "run_started_at": "2026-04-09T06:09:00Z",
        "actor": PERSON,
        "triggering_actor": PERSON,
        "head_commit": {"id": SHA, "tree_id": "77", "message": "Round the tides", "timestamp": "2026-04-09T06:08:00Z"},
        "repository": {"id": 530441, "name": "tide-tables", "html_url": WEB},
        "head_repository": {"id": 530441, "name": "tide-tables", "html_url": WEB},
    } | fields


def webhook(action: str, **parts: Any) -> dict[str, Any]:
    return {"action": action, **parts} | COMMON
