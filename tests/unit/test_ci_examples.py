"""The examples for pipelines fit their systems' schemas, and their commands are ones that `vigia emit` takes."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from vigia.cli import _parser
from vigia.cli.exits import LOOK, TRANSIENT

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {"github-actions": "github-workflows", "gitlab-ci": "gitlab-ci"}


def document(name):
    return YAML(typ="safe").load(ROOT / "deploy" / "ci" / f"{name}.yml")


def schema(name):
    package = importlib.util.find_spec("check_jsonschema")
    assert package is not None
    folder = Path((package.submodule_search_locations or [""])[0])
    return json.loads((folder / "builtin_schemas" / "vendor" / f"{name}.json").read_text(encoding="utf-8"))


def commands(name):
    """What each step or job runs, as one line."""
    found = document(name)
    if name == "github-actions":
        scripts = [step["run"] for step in found["jobs"]["deploy"]["steps"] if "run" in step]
    else:
        scripts = [line for job in found.values() if isinstance(job, dict) for line in job.get("script", [])]
    lines = re.sub(r"\\\n\s*", "", "\n".join(scripts)).splitlines()
    return [line for line in lines if " emit " in line]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_its_systems_schema(name):
    jsonschema.Draft7Validator(schema(EXAMPLES[name])).validate(document(name))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_asks_and_tells_with_arguments_that_there_are(name):
    parsed = []
    for line in commands(name):
        words = shlex.split(line.partition("||")[0])
        values = [{"$STATUS": "failed", "$status": "failed"}.get(word, word) for word in words[1:]]
        parsed.append(_parser().parse_args(values))
    assert [(each.stage, each.gate) for each in parsed] == [("planned", True), ("finished", False)]
    assert {each.environment for each in parsed} == {"production"}


def test_the_codes_that_let_a_pipeline_go_on_are_the_ones_that_are_meant():
    assert document("gitlab-ci")["ask for the risk"]["allow_failure"]["exit_codes"] == [LOOK, TRANSIENT]
    (ask,) = [
        step["run"] for step in document("github-actions")["jobs"]["deploy"]["steps"] if "--gate" in step.get("run", "")
    ]
    assert re.findall(r"^ *(\d+)\)", ask, re.MULTILINE) == ["0", str(LOOK), str(TRANSIENT)]
