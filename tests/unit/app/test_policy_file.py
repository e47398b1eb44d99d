"""Files at the start of a worker: one that is named must be there and be right, or nothing starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from vigia.app.files import read_policy
from vigia.app.starting import check_files
from vigia.models.risk.policy import Policy
from vigia.settings import Settings
from vigia.stores.errors import Unusable


def test_the_default_file_may_be_missing_and_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_files(Settings())
    assert read_policy(Settings().policy) == Policy()


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(Unusable, match=r"there is no file .*gates\.toml, which the settings name"):
        check_files(replace(Settings(), policy=tmp_path / "gates.toml"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[open_incident]\nenable = false\n", r"gates\.toml: .*unknown field `enable` - at `\$\.open_incident`"),
        ("[open_incident\n", "cannot be read"),
        ("[error_budget]\navailability = 99.9\n", r"at `\$\.error_budget\.availability`"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(tmp_path, content, says):
    path = Path(tmp_path) / "gates.toml"
    path.write_text(content)
    with pytest.raises(Unusable, match=says) as caught:
        check_files(replace(Settings(), policy=path))
    assert "gates.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["catalog", "detectors", "policy", "feedback"])
@pytest.mark.parametrize("content", [b"[open", b"\xff\xfe", b"[unheard_of]\n"])
def test_every_file_is_named_when_it_cannot_be_used(tmp_path, name, content):
    path = tmp_path / "some.toml"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=r"some\.toml"):
        check_files(replace(Settings(), **{name: path}))


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(Unusable, match=rf"{tmp_path} cannot be read"):
        check_files(replace(Settings(), policy=tmp_path))
