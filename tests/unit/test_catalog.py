"""The catalog: who owned a service when, and what is refused in its file."""

import tomllib
from pathlib import Path

import pytest

from vigia.events.catalog import UNASSIGNED, Catalog, CatalogError
from vigia.events.dated import Dated, DatedNames
from vigia.events.dependencies import Dependencies

ROOT = Path(__file__).resolve().parents[2]
JULY_2025 = 1751328000.0

TEAMS = """
[[team]]
name = "payments"
organisation = "shop"
[[team]]
name = "search"
organisation = "shop"
"""


def catalog_of(text):
    return Catalog.parse(tomllib.loads(TEAMS + text))


def problems_of(text):
    with pytest.raises(CatalogError) as caught:
        catalog_of(text)
    return caught.value.problems


def test_an_unknown_service_is_unassigned():
    assert catalog_of("").scope_of("nobody", 0.0) == UNASSIGNED
    assert Catalog().scope_of("nobody", 0.0) == UNASSIGNED


def test_a_service_belongs_to_the_team_that_owned_it_at_the_time():
    catalog = catalog_of("""
        [[service]]
        name = "finder"
        team = "search"
        since = 2025-07-01
        [[service]]
        name = "finder"
        team = "payments"
    """)
    assert catalog.scope_of("finder", JULY_2025 - 1) == "payments"
    assert catalog.scope_of("finder", JULY_2025) == "search"


def test_before_its_first_entry_a_service_is_unassigned():
    catalog = catalog_of('[[service]]\nname = "finder"\nteam = "search"\nsince = 2025-07-01T02:00:00+02:00')
    assert catalog.scope_of("finder", JULY_2025 - 1) == UNASSIGNED
    assert catalog.scope_of("finder", JULY_2025) == "search"


def test_a_full_name_wins_over_patterns_and_a_longer_pattern_over_a_shorter():
    catalog = catalog_of("""
        [[service]]
        name = "*"
        team = "unassigned"
        [[service]]
        name = "pay-*"
        team = "payments"
        [[service]]
        name = "pay-find-*"
        team = "search"
        [[service]]
        name = "pay-find-me"
        team = "payments"
    """)
    assert catalog.scope_of("pay-x", 0.0) == "payments"
    assert catalog.scope_of("pay-find-x", 0.0) == "search"
    assert catalog.scope_of("pay-find-me", 0.0) == "payments"
    assert catalog.scope_of("PAY-x", 0.0) == UNASSIGNED


def test_a_pattern_holds_from_its_date_and_a_shorter_one_before():
    catalog = catalog_of("""
        [[service]]
        name = "pay-*"
        team = "payments"
        [[service]]
        name = "pay-find-*"
        team = "search"
        since = 2025-07-01
    """)
    assert catalog.scope_of("pay-find-x", JULY_2025 - 1) == "payments"
    assert catalog.scope_of("pay-find-x", JULY_2025) == "search"


def test_a_team_belongs_to_an_organisation_by_date():
    catalog = catalog_of('[[team]]\nname = "search"\norganisation = "labs"\nsince = 2025-07-01')
    assert catalog.organisation_of("search", JULY_2025 - 1) == "shop"
    assert catalog.organisation_of("search", JULY_2025) == "labs"
    assert catalog.organisation_of("nobody", JULY_2025) == UNASSIGNED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[servce]]\nname = "a"', "there is no table [[servce]]; did you mean 'service'?"),
        ('[[service]]\nname = "a"\nteem = "search"\nteam = "search"', "unknown key 'teem'; did you mean 'team'?"),
        ('[[service]]\nname = "a"', "[[service]] number 1: `team` is missing or not text"),
        ('[[service]]\nname = 7\nteam = "search"', "`name` is missing or not text"),
        ('[[service]]\nname = " a"\nteam = "search"', "name starts or ends with white space"),
        ('[[service]]\nname = "a"\nteam = "serch"', "without a [[team]]: 'serch'; did you mean 'search'?"),
        ('[[service]]\nname = "a[bc]"\nteam = "search"', "only * is special"),
        ('[[service]]\nname = "a"\nteam = "search"\nsince = "2025-07-01"', "must be a date without quotes"),
        ('[[service]]\nname = "a"\nteam = "search"\nsince = 2025-07-01T00:00:00', "a time without an offset"),
        ('[service]\nname = "a"', "`service` must be a list of tables"),
        (
            '[[service]]\nname = "a"\nteam = "search"\n[[service]]\nname = "a"\nteam = "payments"',
            "[[service]] number 2: 'a' has two entries with the same `since`",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, words):
    (problem,) = problems_of(text)
    assert words in problem


def test_one_error_names_all_that_is_wrong():
    assert len(problems_of('[[x]]\n[[service]]\nname = "a"\n[[service]]\nname = "b"\nteam = "nobody"\n')) == 3


def test_the_catalog_of_the_project_is_valid_and_knows_the_services_of_the_feeds():
    catalog = Catalog.parse(tomllib.loads((ROOT / "config/catalog.toml").read_text()))
    assert catalog.scope_of("host", 0.0) == "platform"
    assert catalog.scope_of("checkout", 0.0) == "payments"
    assert catalog.organisation_of("payments", 0.0) == "shop"


def test_what_a_service_depends_on_is_dated_and_follows_names_before_patterns():
    catalog = catalog_of("""
        [[service]]
        name = "shop-*"
        team = "payments"
        depends_on = ["orders-db", "shop-cart"]
        [[service]]
        name = "shop-web"
        team = "payments"
        depends_on = ["index", "index", "orders-db"]
        [[service]]
        name = "shop-web"
        team = "payments"
        since = 2025-07-01
    """)
    of = catalog.dependencies.of
    assert of("shop-mail", 0.0) == ("orders-db", "shop-cart")
    assert of("shop-cart", 0.0) == ("orders-db",)
    assert of("shop-web", JULY_2025 - 1) == ("index", "orders-db")
    assert of("shop-web", JULY_2025) == ()
    assert of("elsewhere", 0.0) == ()
    assert catalog.dependencies.names() == {"orders-db", "shop-cart", "index"}
    # of patterns nobody knows how many there are
    known = catalog.dependencies.known_dependents
    assert [known("orders-db", at) for at in (0.0, JULY_2025)] == [1, 0]
    assert known("shop-cart", 0.0) == 0


def test_what_depends_on_what_is_looked_up_once_for_each_date_of_the_catalog():
    looked = []

    class Looked(Dated):
        def at(self, time):
            looked.append(time)
            return super().at(time)

    some = {f"s{number}": Looked.of({0.0: ("db",), 5_000.0: ("db", "index")}) for number in range(100)}
    dependencies = Dependencies(DatedNames(some, (("s*", Looked.of({0.0: ("queue",)})),)))
    for number in range(1_000):
        at, after = 10.0 * number, number >= 500
        assert dependencies.known_dependents("db", at) == 100
        assert dependencies.known_dependents("index", at) == (100 if after else 0)
        assert dependencies.known_dependents(f"unknown {number}", at) == 0
        assert dependencies.of("s7", at) == (("db", "index") if after else ("db",))
        assert dependencies.of("s-other", at) == ("queue",)
    assert dependencies.known_dependents("db", -1.0) == 0
    assert len(looked) <= 3 * 100 + 4


def test_before_its_first_entry_a_service_depends_on_what_a_pattern_says_as_it_belongs_to_its_team():
    catalog = catalog_of("""
        [[service]]
        name = "shop-*"
        team = "payments"
        depends_on = ["orders-db"]
        [[service]]
        name = "shop-web-*"
        team = "search"
        depends_on = ["index"]
        since = 2025-07-01
        [[service]]
        name = "shop-web-de"
        team = "search"
        depends_on = ["cache"]
        since = 2025-07-01
    """)
    of = catalog.dependencies.of
    for service, later in (("shop-web-de", "cache"), ("shop-web-fr", "index")):
        assert catalog.scope_of(service, JULY_2025 - 1) == "payments"
        assert of(service, JULY_2025 - 1) == ("orders-db",)
        assert of(service, JULY_2025) == (later,)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('"orders-db"', "must be a list of names"),
        ("[1]", "must be a list of names"),
        ('["shop"]', "'shop' depends on itself"),
        ('["orders-*"]', "names single things, no patterns: 'orders-*'"),
        ('[""]', "depends_on is empty"),
        (str([f"db-{number}" for number in range(17)]), "has 17 names; at most 16 are allowed"),
    ],
)
def test_dependencies_that_cannot_be_are_refused(given, says):
    (problem,) = problems_of(f'[[service]]\nname = "shop"\nteam = "payments"\ndepends_on = {given}')
    assert problem.startswith("[[service]] number 1: ")
    assert says in problem
