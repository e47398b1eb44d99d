"""A guard with rules and keys of a test."""

from vigia.events.feedback import DecisionFeedback, IncidentOpened, Outcome
from vigia.models.guard.guard import Guard
from vigia.models.guard.rules import parse_rules

AT = 1_764_000_000.0
SECRETS = {"NEW_KEY": b"new key of the shop", "OLD_KEY": b"old key of the shop", "OWN_KEY": b"vigia's own key.."}
OWN = {"vigia": {"keys": [{"variable": "OWN_KEY"}]}}


def scope_of(service, _at):
    return {"shop-web": "shop", "till": "pay"}.get(service, "unassigned")


def guard(content):
    return Guard(parse_rules(content, "feedback.toml"), SECRETS, scope_of, "feedback.toml")


def outcome(**more):
    said = {"source": "ci", "external_id": "7", "service": "shop-web", "failed": True, "label": "intervention"}
    return Outcome(**{**said, "at": AT, **more})


def incident(**more):
    return IncidentOpened(**{"source": "pager", "external_id": "I1", "service": "shop-web", "at": AT, **more})


def judgement(**more):
    said = {"agent": "bot", "decision_id": "1", "judgement": "correct", "judge": "person"}
    return DecisionFeedback(**{**said, "at": AT, **more})
