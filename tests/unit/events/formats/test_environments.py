"""Which names of environments are production, and that nothing else is."""

import pytest

from tests.unit.events.formats.payloads import cdevent, encoded, github_deployment, github_status, translated
from vigia.events.formats.environments import DOUBTS, PRODUCTION, environment_of


@pytest.mark.parametrize(
    "name",
    [
        *PRODUCTION,
        "Production",
        "PROD",
        "production-eu",
        "prod_us-east-1",
        "eu-production",
        "cluster/prod",
        "Production (EU)",
        "Production \u2013 shop",
        "Production \u2013 test-app",
        "Production \u2014 shop",
        "production - shop",
        "prod.shop.example",
    ],
)
def test_spellings_of_production(name):
    assert environment_of(name) == "production"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "staging",
        "live",
        "prod1",
        "product",
        "reproduction",
        "preprod",
        "non-production",
        "nonprod",
        "Preview \u2013 prod",
        "shop-prod-eu",
        "production\u2013shop-test",
        "prod\x00",
        " prod",
        "prod-" + "x" * 300,
        *(f"{word}-prod" for word in DOUBTS),
        *(f"Production {word}" for word in DOUBTS),
    ],
)
def test_any_other_name_stays_as_it_is(name):
    assert environment_of(name) == name


@pytest.mark.parametrize(("name", "means"), [("Production \u2013 shop", "production"), ("Preview", "Preview")])
def test_github_and_cdevents_say_it_in_their_own_words(name, means):
    bodies = [
        github_deployment(environment=name),
        github_status("success", "2026-05-15T15:22:00Z", 1, environment=name),
        cdevent(content={"environment": {"id": name}}),
        cdevent("incident.detected", content={"environment": {"id": name}, "service": {"id": "shop"}}),
        cdevent("incident.resolved", content={"environment": {"id": name}, "service": {"id": "shop"}}),
    ]
    assert {event.environment for body in bodies for event in translated(encoded(body))} == {means}
