"""`docs/formats.md` names everything that is understood."""

import re
from pathlib import Path

import pytest

from vigia.events.formats import alertmanager, cdevents, environments, github, severities, workloads

PAGE = (Path(__file__).resolve().parents[4] / "docs/formats.md").read_text(encoding="utf-8")


def section(title):
    found = re.search(rf"^## {title}.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("GitHub", [*github._STATES, *github._CONCLUSIONS, *github._RUN_ACTIONS]),
        ("Environments", [*environments.LABELS, *environments.PRODUCTION, *environments.DOUBTS]),
        ("CDEvents", [*cdevents.understood(), "success", "failure", "error", "cancel"]),
        ("Alertmanager", [*workloads.LABELS, workloads.LAST, *workloads.EXPORTERS, alertmanager.METRIC]),
    ],
)
def test_the_page_names_what_is_understood(title, words):
    told = set(re.findall(r"`([^`\s]+)`", section(title)))
    assert set(words) - told == set()


def test_the_page_has_the_words_of_each_severity():
    told = {row[0]: row[1].partition(",")[0] for row in re.findall(r"^\| (P\d) \| (.*) \|$", PAGE, re.MULTILINE)}
    assert told == dict(severities._WORDS)
