"""The parts of Cassandra's raw log that need no server: addresses, what is remembered as written, migration files."""

import pytest

from vigia.stores.cassandra.address import Address, parse_url
from vigia.stores.cassandra.migrating import Migration, migrations
from vigia.stores.cassandra.written import Written
from vigia.stores.errors import Unusable
from vigia.stores.raw import open_raw_log


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("cassandra://localhost/vigia", (("localhost", 9042),)),
        ("cassandra://10.0.0.1:19042/vigia", (("10.0.0.1", 19042),)),
        ("cassandra://a:1,b,c.example:3/vigia", (("a", 1), ("b", 9042), ("c.example", 3))),
    ],
)
def test_a_url_names_hosts_and_a_keyspace(url, hosts):
    assert parse_url(url) == (hosts, "vigia")


@pytest.mark.parametrize(
    "url",
    [
        "cassandra://a",
        "cassandra://a/",
        "cassandra:///vigia",
        "cassandra://a:x/vigia",
        "cassandra://a,,b/vigia",
        "cassandra://user:hidden@a/vigia",
        "cassandra://a/Vigia",
        "cassandra://a/vigia;drop",
        f"cassandra://a/{'v' * 49}",
        "mysql://a/vigia",
        "sqlite:///",
        "",
    ],
)
def test_any_other_url_is_refused_without_showing_it(url):
    with pytest.raises(Unusable) as caught:
        open_raw_log(url)
    assert "hidden" not in str(caught.value)


def test_a_password_is_not_shown():
    address = Address(hosts=(("a", 1),), keyspace="vigia", username="u", password="hidden")
    assert "hidden" not in repr(address) + address.text


def test_what_was_written_is_not_missing_and_the_oldest_is_forgotten_first():
    written = Written(capacity=2)
    written.add([("a",), ("b",)])
    assert written.missing([("a",), ("c",)]) == [("c",)]
    written.add([("c",)])
    assert written.missing([("a",), ("b",), ("c",)]) == [("b",)]


def test_migration_files_are_numbered_without_gaps(tmp_path):
    (tmp_path / "0001_first.cql").write_text("-- one;\nCREATE A; -- two\n\nCREATE B;\n")
    (found,) = migrations(tmp_path)
    assert found.statements == ["CREATE A", "CREATE B"]
    (tmp_path / "0003_third.cql").write_text("CREATE C;")
    with pytest.raises(Unusable, match="0002_"):
        migrations(tmp_path)


def test_our_migrations_may_be_repeated():
    found = migrations()
    assert found
    assert all("IF NOT EXISTS" in statement for migration in found for statement in migration.statements)


def test_a_comment_is_part_of_the_checksum():
    assert Migration(1, "a", "x").checksum != Migration(1, "a", "x -- y").checksum
