"""Gates: each says no for its reason and only for it, and a policy that cannot be used is refused with the place."""

import tomllib
from pathlib import Path

import pytest

from vigia.events.summaries import IncidentSummary
from vigia.models.risk import context
from vigia.models.risk.context import DAY, Context
from vigia.models.risk.policy import ErrorBudget, OpenIncident, Policy, PolicyError, gates, parse_policy

AT = 1_700_000_000.0


def service(*incidents):
    past = Context()
    for number, (severity, opened, resolved, environment) in enumerate(incidents):
        row = IncidentSummary(
            incident_id=str(number),
            source="pager",
            external_id=str(number),
            scope="shop",
            service="web",
            environment=environment,
            severity=severity,
            title="",
            opened_at=opened,
            resolved_at=resolved,
        )
        context.put_incident(past, row)
    return past.services.get("web")


def names(one=None, policy=None, **fields):
    fields = {"migrates": False, "flagged": False, "error_budget": None} | fields
    return [gate.name for gate in gates(policy or Policy(), one, "production", AT, **fields)]


def test_the_file_in_the_repository_says_what_the_defaults_are():
    content = tomllib.loads(Path("config/policy.toml").read_text())
    assert parse_policy(content, "config/policy.toml") == parse_policy({}, "") == Policy()
    for table, kind in (("open_incident", OpenIncident), ("error_budget", ErrorBudget)):
        assert set(content[table]) == set(kind.__struct_fields__)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"open_incidents": {}}, "unknown field `open_incidents`"),
        ({"open_incident": {"enable": False}}, r"unknown field `enable` - at `\$.open_incident`"),
        ({"open_incident": {"severities": ["P9"]}}, r"Invalid enum value 'P9' - at `\$.open_incident.severities"),
        ({"open_incident": {"forgotten_after_days": 0}}, r"at `\$.open_incident.forgotten_after_days`"),
        ({"error_budget": {"availability": 1}}, r"at `\$.error_budget.availability`"),
        ({"error_budget": []}, r"at `\$.error_budget`"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_with_its_place(content, says):
    with pytest.raises(PolicyError, match=says) as caught:
        parse_policy(content, "policy.toml")
    assert str(caught.value).startswith("policy.toml: ")


def test_nothing_known_closes_no_gate():
    assert names() == []
    assert names(service()) == []


def test_an_open_incident_of_the_service_stops_its_deployments():
    soon = AT - 30
    budget_off = Policy(error_budget=ErrorBudget(enabled=False))
    assert names(service(("P1", soon, None, "production"))) == ["open_incident"]
    (gate,) = gates(
        Policy(),
        service(("P1", soon, None, "production")),
        "production",
        AT,
        migrates=False,
        flagged=False,
        error_budget=None,
    )
    assert gate.reason == "incident pager/0 (P1) is open since 2023-11-14 22:12 UTC"
    assert names(service(("P1", soon, None, "staging"))) == []
    assert names(service(("P1", soon, AT, "production"))) == []
    assert names(service(("P1", AT + DAY, None, "production"))) == []
    assert names(service(("P3", soon, None, "production"))) == []
    assert names(service(("P1", AT - 8 * DAY, None, "production")), budget_off) == [], "forgotten"
    off = Policy(open_incident=OpenIncident(enabled=False))
    assert names(service(("P1", soon, None, "production")), off) == []


def test_a_schema_migration_needs_a_flag():
    assert names(migrates=True) == ["schema_migration"]
    assert names(migrates=True, flagged=True) == []


def test_the_error_budget_is_what_incidents_left_of_it():
    # .999 of 28 days allow 40.32 minutes
    spent, left = 41 * 60.0, 40 * 60.0
    assert names(service(("P1", AT - DAY, AT - DAY + spent, "production"))) == ["error_budget"]
    assert names(service(("P1", AT - DAY, AT - DAY + left, "production"))) == []
    assert names(service(("P1", AT - 40 * DAY, AT - 40 * DAY + spent, "production"))) == [], "before the window"
    twice = [("P1", AT - DAY, AT - DAY + 30 * 60.0, "production")] * 2
    assert names(service(*twice)) == [], "an hour in which two were open counts once"
    apart = [("P1", AT - day * DAY, AT - day * DAY + 30 * 60.0, "production") for day in (1, 2)]
    assert names(service(*apart)) == ["error_budget"]


def test_an_incident_that_nobody_closed_takes_no_budget_once_it_counts_as_forgotten():
    for days, said in ((6.9, ["open_incident", "error_budget"]), (7.1, []), (400, [])):
        assert names(service(("P1", AT - days * DAY, None, "production"))) == said


def test_what_the_event_says_of_the_budget_wins():
    spent = service(("P1", AT - DAY, AT - DAY / 2, "production"))
    assert names(spent) == ["error_budget"]
    assert names(spent, error_budget=0.2) == []
    assert names(error_budget=0.0) == names(error_budget=-0.5) == ["error_budget"]
