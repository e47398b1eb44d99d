"""The rules of feedback at the start of a worker: the file and every key it names are there and right, or nothing
starts.
"""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from vigia.app.files import read_guard
from vigia.app.starting import check_files
from vigia.events.feedback import Outcome
from vigia.models.guard.rules import Rules, parse_rules
from vigia.settings import Settings, SettingsError, load, read_keys
from vigia.stores.errors import Unusable

KEYED = """
[sender.ci]
keys = [{ variable = "VIGIA_KEY_CI" }, { variable = "CI_KEY_BEFORE", until = 2026-12-08T00:00:00Z }]
[sender.vigia]
keys = [{ variable = "VIGIA_KEY_CI" }]
"""
KEY = "0123456789abcdef"


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "rules.toml").write_text(KEYED)
    return replace(Settings(), feedback=tmp_path / "rules.toml")


def test_the_default_file_may_be_missing_and_everything_is_accepted(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    check_files(Settings())
    assert "there is no file config/feedback.toml: everybody who may write to the topics may label everything" in (
        caplog.text
    )
    said = Outcome(source="ci", external_id="7", service="web", failed=True, label="defect", at=1.0)
    assert read_guard(Settings()).refusal(said, 1.0) is None


def test_the_file_of_the_repository_has_no_rules_and_shows_the_defaults():
    text = Path("config/feedback.toml").read_text()
    assert read_rules(text) == Rules()
    shown = "\n".join(line.removeprefix("#") for line in text.splitlines() if not re.match(r"# \S", line))
    rules = read_rules(shown)
    assert rules.variables == ["VIGIA_KEY_OWN", "VIGIA_KEY_SHOP_CI", "VIGIA_KEY_SHOP_CI_OLD"]
    assert msgspec.structs.replace(rules.others, a_day=None) == Rules().others


def read_rules(text):
    return parse_rules(tomllib.loads(text), "feedback.toml")


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(Unusable, match=r"there is no file .*rules\.toml, which the settings name"):
        check_files(replace(Settings(), feedback=tmp_path / "rules.toml"))


def test_a_worker_does_not_start_without_the_keys_that_the_file_names(settings, monkeypatch):
    with pytest.raises(Unusable, match=r"CI_KEY_BEFORE, which .*rules\.toml names, is not set"):
        check_files(settings)
    monkeypatch.setenv("VIGIA_KEY_CI", KEY)
    monkeypatch.setenv("CI_KEY_BEFORE", KEY[1:])
    with pytest.raises(Unusable, match="CI_KEY_BEFORE is too short for a key") as caught:
        check_files(settings)
    assert KEY[1:] not in str(caught.value)
    monkeypatch.setenv("CI_KEY_BEFORE", KEY)
    check_files(settings)


def test_a_key_may_stand_in_a_file(settings, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    found = read_keys(["A_KEY"], "rules.toml", {"A_KEY_FILE": str(tmp_path / "key")})
    assert found["A_KEY"].reveal() == KEY
    assert repr(found) == "{'A_KEY': ***}"
    with pytest.raises(SettingsError, match="A_KEY_FILE: the file cannot be read"):
        read_keys(["A_KEY"], "rules.toml", {"A_KEY_FILE": str(tmp_path / "absent")})


def test_variables_of_keys_are_no_settings():
    assert load({"VIGIA_KEY_CI": KEY}, in_own_checkout=False) == load({}, in_own_checkout=False)


def test_the_file_is_refused_with_its_place(settings):
    settings.feedback.write_text("[sender.ci]\nkinds = ['praise']\n")
    with pytest.raises(Unusable, match=r"rules\.toml: Invalid enum value 'praise'"):
        check_files(settings)
    settings.feedback.write_text("[sender.ci\n")
    with pytest.raises(Unusable, match=r"rules\.toml cannot be read"):
        check_files(settings)
