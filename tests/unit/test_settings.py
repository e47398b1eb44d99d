"""Settings: where they come from, what is refused and how it is said, and that no secret is ever shown."""

import copy
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.pages.settings import example_config
from vigia.settings import (
    WEAKNESSES,
    KafkaSettings,
    Secret,
    Settings,
    SettingsError,
    Url,
    load,
    masked_url,
    rows,
    weaknesses,
)
from vigia.settings.parsing import duration_text, parse

SAFE = {
    "VIGIA_PROFILE": "production",
    "VIGIA_RAW_LOG_URL": "cassandra://127.0.0.1:19042/vigia",
    "VIGIA_SUMMARIES_URL": "mysql+pymysql://vigia@127.0.0.1:19306/vigia",
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """No test sees the settings of the checkout."""
    monkeypatch.chdir(tmp_path)


def problems_of(environ=None, toml=None):
    path = None
    if toml is not None:
        path = Path("test.toml")
        path.write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load(environ or {}, path)
    return caught.value.problems


def row(key):
    return next(each for each in rows(Settings) if each.key == key)


def test_without_environment_and_file_everything_has_its_default():
    settings = load({})
    assert settings == Settings()
    assert settings.kafka.bootstrap == "127.0.0.1:19092"
    assert settings.stream.seen_horizon == 7 * 24 * 3600


def test_the_environment_wins_over_toml_and_toml_over_the_default(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[kafka]\ngroup = "from-file"\nbootstrap = "file:1"\n[stream]\ntick_after = "2s"\n')
    settings = load({"VIGIA_KAFKA_GROUP": "from-variable"}, path)
    assert settings.kafka.group == "from-variable"
    assert settings.kafka.bootstrap == "file:1"
    assert settings.stream.tick_after == 2.0
    assert settings.stream.future_limit == 300.0


def test_the_file_is_the_one_that_vigia_config_names(tmp_path):
    path = tmp_path / "named.toml"
    path.write_text('log_level = "DEBUG"')
    assert load({"VIGIA_CONFIG": str(path)}).log_level == "DEBUG"


def test_the_file_in_config_is_read_when_none_is_named():
    Path("config").mkdir()
    Path("config/vigia.toml").write_text("[metrics]\nwindow = 30")
    assert load({}).metrics.window == 30


def test_a_named_file_that_is_missing_is_an_error():
    assert "absent.toml: cannot be read" in problems_of({"VIGIA_CONFIG": "absent.toml"})[0]


def test_a_file_that_is_not_toml_is_an_error():
    assert "is not TOML" in problems_of(toml="[kafka\n")[0]


def test_an_unknown_variable_is_named_with_the_nearest_known_one():
    assert problems_of({"VIGIA_KAFKA_BOOTSTRP": "x"}) == [
        "there is no setting VIGIA_KAFKA_BOOTSTRP; did you mean VIGIA_KAFKA_BOOTSTRAP?"
    ]


@pytest.mark.parametrize("name", ["VIGIA_STACK_KAFKA_PORT", "VIGIA_COMPOSE_KAFKA_PORT", "PATH", "VIGIALANTE"])
def test_variables_of_others_are_none_of_our_business(name):
    assert load({name: "anything"}) == Settings()


@pytest.mark.parametrize(
    ("toml", "name", "nearest"),
    [
        ("[kafka]\ngrup = 'x'", "kafka.grup", "kafka.group"),
        ("[kafak]\ngroup = 'x'", "kafak", "kafka"),
        ("log_leven = 'INFO'", "log_leven", "log_level"),
        ("kafka = 3", "kafka", "kafka"),
        ("[kafka.group]\nx = 1", None, None),
    ],
)
def test_an_unknown_toml_key_is_named_with_the_nearest_known_one(toml, name, nearest):
    (problem,) = problems_of(toml=toml)
    if name:
        assert f"there is no setting {name}; did you mean {nearest}?" in problem
    else:
        assert "kafka.group in test.toml is" in problem


def test_one_error_names_all_problems_and_where_each_value_stood():
    problems = problems_of(
        {"VIGIA_METRICS_WINDOW": "0", "VIGIA_NONSENSE": "1", "VIGIA_PROFILE": "prod"}, "[stream]\ntick_after = 'soon'\n"
    )
    assert len(problems) == 4
    text = "\n".join(problems)
    assert "VIGIA_METRICS_WINDOW is '0': must lie between 1 and 3600 s" in text
    assert "VIGIA_PROFILE is 'prod': must be one of development, production" in text
    assert "stream.tick_after in test.toml is 'soon': must be a number of seconds" in text


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("kafka.ephemeral", "yes", True),
        ("kafka.ephemeral", "OFF", False),
        ("kafka.ephemeral", True, True),
        ("kafka.max_poll_records", "1_000", 1000),
        ("stream.tick_after", "500ms", 0.5),
        ("stream.tick_after", "90", 90.0),
        ("stream.tick_after", 2, 2.0),
        ("stream.seen_horizon", "2d", 172_800.0),
        ("stream.seen_horizon", "1.5h", 5400.0),
        ("stream.invalid_ratio", "0.5", 0.5),
        ("durability_exceptions", "a, b,", ("a", "b")),
        ("durability_exceptions", ["a"], ("a",)),
        ("data_dir", "x/y", Path("x/y")),
    ],
)
def test_what_is_understood(key, raw, value):
    assert parse(row(key), raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("kafka.ephemeral", "maybe"),
        ("kafka.ephemeral", 1),
        ("kafka.max_poll_records", "1.5"),
        ("kafka.max_poll_records", True),
        ("kafka.max_poll_records", "٣"),
        ("kafka.max_poll_records", "0"),
        ("stream.tick_after", "nan"),
        ("stream.tick_after", "inf"),
        ("stream.tick_after", "7 weeks"),
        ("stream.tick_after", "-1"),
        ("stream.tick_after", False),
        ("stream.invalid_ratio", 1.5),
        ("stream.invalid_ratio", "1s"),
        ("kafka.group", 7),
        ("kafka.group", "a\0b"),
        ("kafka.security_protocol", "ssl"),
        ("durability_exceptions", [1]),
        ("raw_log.password", 1),
    ],
)
def test_what_is_refused(key, raw):
    with pytest.raises(ValueError, match="must"):
        parse(row(key), raw)


@given(st.floats(min_value=0, max_value=1e7).map(lambda value: round(value, 3)))
def test_a_duration_that_is_written_is_read_back(seconds):
    assert parse(row("stream.seen_horizon"), duration_text(max(seconds, 60.0))) == pytest.approx(max(seconds, 60.0))


def test_a_variable_set_to_nothing_counts_as_not_set():
    assert load({"VIGIA_KAFKA_BOOTSTRAP": "", "VIGIA_METRICS_WINDOW": ""}) == Settings()


# ------------------------------------------------------------------------------------------------------------ secrets


def test_secrets_and_passwords_in_addresses_are_never_printed():
    settings = load(
        {
            "VIGIA_KAFKA_SASL_PASSWORD": "hunter2",
            "VIGIA_SUMMARIES_PASSWORD": "hunter2",
            "VIGIA_SUMMARIES_URL": "mysql+pymysql://vigia:hunter2@127.0.0.1:1/vigia",
        }
    )
    for text in (repr(settings), str(settings), f"{settings.kafka.sasl_password}", f"{settings.summaries.url!r}"):
        assert "hunter2" not in text
    assert settings.kafka.sasl_password.reveal() == "hunter2"
    assert "hunter2" in settings.summaries.url


def test_an_error_about_a_secret_does_not_show_it():
    problems = problems_of(
        {"VIGIA_SUMMARIES_URL": "postgresql://vigia:hunter2@127.0.0.1/vigia", "VIGIA_RAW_LOG_PASSWORD": "hunter2\0"}
    )
    assert problems
    assert "hunter2" not in "\n".join(problems)
    problems = problems_of({"VIGIA_SUMMARIES_URL": "mysql+pymysql://vigia:hunter2@127.0.0.1/\0"})
    assert "vigia:***@" in problems[0]


def test_a_secret_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
    assert copy.copy(Url("sqlite:///x")) == "sqlite:///x"


def test_a_secret_may_come_from_a_file_which_ends_with_a_newline():
    Path("password").write_text("from file \n")
    assert load({"VIGIA_SUMMARIES_PASSWORD_FILE": "password"}).summaries.password.reveal() == "from file "


def test_an_address_may_come_from_a_file_too():
    Path("url").write_text("mysql+pymysql://vigia:x@127.0.0.1:1/vigia\n")
    assert load({"VIGIA_SUMMARIES_URL_FILE": "url"}).summaries.url.endswith("/vigia")


def test_a_secret_given_twice_is_an_error():
    Path("password").write_text("a")
    problems = problems_of({"VIGIA_SUMMARIES_PASSWORD": "b", "VIGIA_SUMMARIES_PASSWORD_FILE": "password"})
    assert problems == ["VIGIA_SUMMARIES_PASSWORD and VIGIA_SUMMARIES_PASSWORD_FILE are both set: remove one"]


def test_a_secrets_file_that_is_missing_is_named():
    assert "the file absent cannot be read" in problems_of({"VIGIA_SUMMARIES_PASSWORD_FILE": "absent"})[0]


def test_what_is_not_secret_does_not_come_from_a_file():
    assert "there is no setting VIGIA_KAFKA_GROUP_FILE" in problems_of({"VIGIA_KAFKA_GROUP_FILE": "x"})[0]


@given(st.text(min_size=1).filter(lambda text: "@" not in text))
def test_the_password_of_an_address_is_masked_whatever_is_in_it(password):
    prefix, suffix = "mysql+pymysql://vigia:", "@127.0.0.1:19306/vigia?charset=utf8mb4"
    assert masked_url(prefix + password + suffix) == f"{prefix}***{suffix}"


def test_a_password_with_an_at_sign_is_masked_whole():
    assert masked_url("x://u:a@b@host/p") == "x://u:***@host/p"


@pytest.mark.parametrize("url", ["sqlite:///.vigia/raw.db", "cassandra://127.0.0.1:19042/vigia", "x://user@host/a"])
def test_an_address_without_a_password_is_shown_whole(url):
    assert masked_url(url) == url


# ------------------------------------------------------------------------------------------ how settings fit together


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"VIGIA_KAFKA_POLL_INTERVAL": "120"}, "must be below kafka.poll_interval"),
        ({"VIGIA_KAFKA_HEARTBEAT_INTERVAL": "10"}, "below a third of kafka.session_timeout"),
        ({"VIGIA_OPERATIONS_HEARTBEAT": "300"}, "below half of operations.stuck_after"),
        ({"VIGIA_OPERATIONS_STUCK_AFTER": "510"}, "must be above 510 s, 4 times stream.retry_budget"),
        ({"VIGIA_SUMMARIES_STATEMENT_TIMEOUT": "120"}, "must be above 600 s"),
        ({"VIGIA_KAFKA_MIN_INSYNC_REPLICAS": "2"}, "no write could be acknowledged"),
        ({"VIGIA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "needs kafka.sasl_username and kafka.sasl_password"),
        ({"VIGIA_KAFKA_SSL_KEYFILE": "x"}, "go together"),
        ({"VIGIA_RAW_LOG_URL": "mongodb://x"}, "raw_log.url must start with"),
        ({"VIGIA_SUMMARIES_URL": "cassandra://x"}, "summaries.url must start with"),
        ({"VIGIA_METRICS_WINDOW": "7"}, "must divide an hour"),
        ({"VIGIA_METRICS_RETENTION_HOURS": "7d"}, "at least a day above metrics.retention"),
        ({"VIGIA_METRICS_RETENTION_DAYS": "89d"}, "must be at least metrics.retention_hours"),
        ({"VIGIA_METRICS_STALE_AFTER": "65"}, "every problem is stale"),
        ({"VIGIA_RISK_WAITING_TIME": "180d"}, "risk.waiting_time (1.5552e+07 s) must be below risk.forget_after"),
        (
            {"VIGIA_RISK_WAITING_TIME_INTERVENTION": "200d"},
            "risk.waiting_time_intervention (1.728e+07 s) must be below",
        ),
        ({"VIGIA_DURABILITY_EXCEPTIONS": "luck"}, "names no weakness: 'luck'"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(environ, words):
    (problem,) = problems_of(environ)
    assert words in problem


def test_production_has_defaults_of_its_own():
    settings = load(SAFE)
    assert (settings.kafka.replication_factor, settings.kafka.min_insync_replicas) == (3, 2)
    assert settings.raw_log.replication_factor == 3
    assert weaknesses(settings) == []


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"VIGIA_KAFKA_REPLICATION_FACTOR": "2"}, "kafka-replication"),
        ({"VIGIA_KAFKA_MIN_INSYNC_REPLICAS": "1"}, "kafka-insync"),
        ({"VIGIA_KAFKA_EPHEMERAL": "true"}, "kafka-ephemeral"),
        ({"VIGIA_RAW_LOG_URL": "sqlite:///x.db"}, "raw-log-sqlite"),
        ({"VIGIA_RAW_LOG_REPLICATION_FACTOR": "1"}, "raw-log-replication"),
        ({"VIGIA_RAW_LOG_CONSISTENCY": "LOCAL_ONE"}, "raw-log-consistency"),
        ({"VIGIA_SUMMARIES_URL": "sqlite:///x.db"}, "summaries-sqlite"),
    ],
)
def test_production_refuses_a_weakness_that_is_not_listed_as_an_exception(environ, name):
    (problem,) = problems_of(SAFE | environ)
    assert f"add {name} to durability_exceptions" in problem
    accepted = load(SAFE | environ | {"VIGIA_DURABILITY_EXCEPTIONS": name})
    assert [weakness.name for weakness in weaknesses(accepted)] == [name]


def test_development_has_weaknesses_that_can_be_shown():
    assert {weakness.name for weakness in weaknesses(load({}))} <= set(WEAKNESSES)
    assert "kafka-replication" in {weakness.name for weakness in weaknesses(load({}))}


# ------------------------------------------------------------------------------------------------------------ the table


def test_every_setting_has_a_variable_of_its_own_and_a_meaning():
    table = rows(Settings)
    variables = [each.variable for each in table] + [each.file_variable for each in table if each.file_variable]
    assert len(variables) == len(set(variables))
    assert all(re.fullmatch(r"[A-Z`0-9].*\.", each.meta.meaning) for each in table)


def test_every_number_has_bounds_and_a_default_within_them():
    for each in rows(Settings):
        if each.kind in {int, float}:
            assert each.meta.minimum <= each.default <= each.meta.maximum, each.key


def test_the_example_file_says_nothing_and_uncommented_it_says_the_defaults():
    example = example_config()
    Path("example.toml").write_text(example)
    assert load({}, Path("example.toml")) == Settings()
    Path("all.toml").write_text(re.sub(r"(?m)^#(?=\w+ = )", "", example))
    settings = load({}, Path("all.toml"))
    assert settings == Settings()
    assert len(re.findall(r"(?m)^\w+ = ", Path("all.toml").read_text())) == len(rows(Settings))


def test_sasl_and_tls_reach_the_kafka_client():
    kafka = KafkaSettings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-256",
        sasl_username="vigia",
        sasl_password=Secret("hunter2"),
        ssl_cafile="ca.pem",
    )
    assert kafka.confluent_config() == {
        "bootstrap.servers": "127.0.0.1:19092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-256",
        "sasl.username": "vigia",
        "sasl.password": "hunter2",
        "ssl.ca.location": "ca.pem",
    }


def test_a_plain_connection_says_nothing_of_sasl_and_tls():
    kafka = KafkaSettings(sasl_username="left over", ssl_cafile="left over")
    assert kafka.confluent_config() == {"bootstrap.servers": "127.0.0.1:19092", "security.protocol": "PLAINTEXT"}


def test_the_name_on_the_broker_has_the_prefix():
    assert KafkaSettings(topic_prefix="test.").physical("risk") == "test.risk"
