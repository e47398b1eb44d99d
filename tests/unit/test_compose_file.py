"""The container files keep their promises. No engine runs here, so they are read, not started."""

import copy
import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from vigia.app import open_stores
from vigia.cli import _parser
from vigia.cli.health import WITHIN
from vigia.settings import Settings, load, masked_url

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCUMENT = YAML(typ="safe").load(COMPOSE)
SERVICES = DOCUMENT["services"]
SERVERS = ("kafka", "cassandra", "mysql")
LONG_RUNNING = (*SERVERS, "worker")


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def faults(document) -> list[str]:
    """What the Compose specification has against a document.

    The schema is the one of `check-jsonschema --builtin-schema vendor.compose-spec`, read from the package it ships in,
    since the command itself does not start with the version of click in the lock.
    """
    package = importlib.util.find_spec("check_jsonschema")
    assert package is not None
    folder = Path((package.submodule_search_locations or [""])[0])
    schema = json.loads((folder / "builtin_schemas" / "vendor" / "compose-spec.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_the_compose_file_is_valid_by_the_specification():
    assert faults(DOCUMENT) == []


def test_a_misspelt_key_would_be_found():
    wrong = copy.deepcopy(DOCUMENT)
    wrong["services"]["worker"]["healthchek"] = wrong["services"]["worker"].pop("healthcheck")
    assert any("healthchek" in fault for fault in faults(wrong))


def test_these_are_all_the_services():
    assert set(SERVICES) == {*LONG_RUNNING, "migrate"}


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_what_runs_for_long_has_a_health_check_and_is_restarted(service):
    assert SERVICES[service]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[service]["restart"] == "unless-stopped"


def test_the_migration_runs_once_and_says_why_it_has_no_health_check():
    assert SERVICES["migrate"]["healthcheck"] == {"disable": True}
    assert SERVICES["migrate"]["restart"] == "no"


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_vigia_starts_when_the_servers_answer(service):
    for server in SERVERS:
        assert SERVICES[service]["depends_on"][server] == {"condition": "service_healthy"}


def test_its_commands_are_those_of_the_command_line():
    for command in (SERVICES["migrate"]["command"], SERVICES["worker"]["command"]):
        assert _parser().parse_args(command).command == command[0]
    assert _parser().parse_args(SERVICES["worker"]["command"]).hold
    check = SERVICES["worker"]["healthcheck"]
    assert check["test"][:4] == ["CMD", "python", "-m", "vigia"]
    assert _parser().parse_args(check["test"][4:]).command == "health"
    assert float(check["timeout"].removesuffix("s")) > WITHIN


def test_the_worker_waits_for_the_migration_to_succeed():
    assert SERVICES["worker"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("service", SERVERS)
def test_data_is_in_a_named_volume(service):
    names = [volume.split(":")[0] for volume in SERVICES[service]["volumes"]]
    assert names == [f"{service}-data"]
    assert set(names) <= set(DOCUMENT["volumes"])


@pytest.mark.parametrize("service", SERVERS)
def test_ports_are_open_to_this_machine_only(service):
    assert SERVICES[service]["ports"]
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[service]["ports"])


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_vigia_opens_no_port_and_may_do_little(service):
    assert "ports" not in SERVICES[service]
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[service]["security_opt"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_memory_and_processors_are_limited(service):
    assert set(SERVICES[service]["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


@pytest.mark.parametrize("service", SERVERS)
def test_images_are_pinned_to_a_version(service):
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", SERVICES[service]["image"])


def test_a_password_has_to_be_given_and_has_no_default():
    secrets = {
        f"{service}.{name}": value
        for service, row in SERVICES.items()
        for name, value in row.get("environment", {}).items()
        if "PASSWORD" in name
    }
    assert len(secrets) == 4  # two of MySQL, and the one of both in migrate and worker
    for name, value in secrets.items():
        assert re.fullmatch(r"\$\{(\w+):\?[^}]+\}", value), name


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_address_holds_a_password(service):
    for value in SERVICES[service].get("environment", {}).values():
        assert masked_url(str(value)) == str(value)


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_what_vigia_keeps_is_on_a_file_system_that_can_be_written(service):
    folder = PurePosixPath(settings_of(service).data_dir)
    assert folder.is_absolute()
    assert any(folder.is_relative_to(mount) for mount in SERVICES[service]["tmpfs"])


@pytest.mark.parametrize("service", ["migrate", "worker"])
def test_its_stores_are_opened_where_nothing_can_be_written(service, tmp_path):
    (tmp_path / "file").write_text("")
    settings = replace(settings_of(service), data_dir=tmp_path / "file" / "data")
    open_stores(settings).close()


def test_the_image_has_the_files_that_the_settings_name():
    copied = re.findall(r"^COPY (\S+) \./(\S+)$", dockerfile(), re.MULTILINE)
    assert ("config", "config") in copied
    workdir = re.findall(r"^WORKDIR (\S+)$", dockerfile(), re.MULTILINE)
    assert workdir == ["/srv/vigia"]  # paths of settings are relative to it
    for path in (settings_of("worker").catalog, settings_of("worker").detectors):
        assert path.parts[0] == "config"
        assert (ROOT / path).is_file()


def settings_of(service: str) -> Settings:
    """The settings that Compose gives a service, with a password for the variable."""
    environment = SERVICES[service]["environment"]
    return load({name: re.sub(r"\$\{[^}]+\}", "word", value) for name, value in environment.items()})


def test_writes_are_as_durable_as_in_the_local_stack():
    assert "-Dcassandra.settings.commitlog_sync=group" in SERVICES["cassandra"]["environment"]["JVM_EXTRA_OPTS"]
    assert "--innodb-flush-log-at-trx-commit=1" in SERVICES["mysql"]["command"]
    assert "--transaction-isolation=READ-COMMITTED" in SERVICES["mysql"]["command"]
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_kafka_and_cassandra_are_the_versions_of_the_local_stack():
    for service, artifact in (("kafka", "kafka_2.13"), ("cassandra", "cassandra-all")):
        pom = (ROOT / "scripts" / "stack" / f"{service}.pom.xml").read_text(encoding="utf-8")
        version = re.search(rf"<artifactId>{re.escape(artifact)}</artifactId>\s*<version>([^<]+)<", pom)
        assert version is not None
        assert SERVICES[service]["image"].endswith(f":{version[1]}")


def test_the_image_checks_hashes_and_runs_as_nobody_special():
    text = dockerfile()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.11-slim-bookworm"}
    assert "--require-hashes" in text
    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users == ["10001:10001"]
    assert 'ENTRYPOINT ["python", "-m", "vigia"]' in text


def test_only_what_is_named_gets_into_the_image():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {rule[1:] for rule in rules if rule.startswith("!")} == names
