"""The generated pages are what the code says now, and their examples are valid events."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.docs import CHECKOUT, stale_pages, write_pages
from scripts.pages import PAGES
from scripts.pages.dead_letters import WHAT_TO_DO
from scripts.pages.events import field_meanings
from scripts.pages.examples import EXAMPLES
from scripts.pages.markdown import anchor, table
from vigia.events.catalog import UNASSIGNED
from vigia.events.feedback import AttributionCorrected
from vigia.events.invalid import Invalid, Reason
from vigia.settings import Settings, rows
from vigia.topics import TOPICS

carried = pytest.mark.parametrize(
    ("topic", "kind"),
    [(topic, kind) for topic in TOPICS for kind in topic.types],
    ids=lambda value: getattr(value, "name", None) or value.__name__,
)


def test_no_page_is_stale():
    assert stale_pages() == [], "run `make docs` and commit what it writes"


def test_a_page_that_was_changed_by_hand_is_found_and_written_again(tmp_path):
    assert write_pages(tmp_path) == list(PAGES)
    assert stale_pages(tmp_path) == []
    path = tmp_path / "docs/topics.md"
    path.write_text(path.read_text().replace("30 days", "31 days"))
    assert stale_pages(tmp_path) == ["docs/topics.md"]
    assert write_pages(tmp_path) == ["docs/topics.md"]


@pytest.mark.parametrize("way", [["-m", "scripts.docs"], ["scripts/docs.py"]], ids=["module", "file"])
def test_the_check_can_be_run_both_ways(way):
    done = subprocess.run([sys.executable, *way, "--check"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@carried
def test_the_example_of_an_event_is_valid_on_its_topic(topic, kind):
    events = topic.decode(json.dumps(EXAMPLES[kind]).encode())
    assert [type(event) for event in events] == [kind] * len(events)
    for event in events:
        assert not isinstance(event, Invalid)
        # the catalog answers for events that name only their service
        assert topic.key_of(event) or getattr(event, "service", "")
        assert topic.key_of(event) != UNASSIGNED or topic.name == "feedback"


@carried
def test_an_example_is_shown_whole_below_its_event(topic, kind):
    below = PAGES["docs/events.md"]().split(f"### {kind.__name__}\n")[1]
    shown = re.search(r"```json\n(.*?)\n```", below, re.DOTALL)
    assert shown is not None
    assert json.loads(shown[1]) == EXAMPLES[kind]


def test_every_link_within_the_pages_leads_somewhere():
    pages = {Path(path).name: page() for path, page in PAGES.items() if path.endswith(".md")}
    anchors = {
        name: {anchor(heading) for heading in re.findall(r"(?m)^#+ (.*)$", text)} for name, text in pages.items()
    }
    for name, text in pages.items():
        for file, place in re.findall(r"\]\(([\w.-]*)(?:#([\w-]+))?\)", text):
            target = file or name
            assert target in pages, f"{name} links to {target}"
            assert not place or place in anchors[target], f"{name} links to {target}#{place}"


def test_every_reason_says_what_to_do():
    assert set(WHAT_TO_DO) == set(Reason)


def test_every_setting_is_in_its_page():
    text = PAGES["docs/settings.md"]()
    assert [row.variable for row in rows(Settings) if f"`{row.variable}`" not in text] == []


def test_the_meaning_of_a_field_is_the_docstring_below_it():
    meanings = field_meanings(AttributionCorrected)
    assert meanings.keys() == {"sender", "signature", "deployment"}
    assert meanings["deployment"] == "The deployment that caused the incident, as (source, external id)."


def test_no_cell_breaks_its_table():
    for path, page in PAGES.items():
        columns = 0
        for line in page().splitlines():
            if not line.startswith("| "):
                columns = 0
                continue
            found = len(re.findall(r"(?<!\\)\|", line))
            assert columns in {0, found}, f"{path}: {line}"
            columns = found


def test_a_bar_or_a_line_break_in_a_cell_stays_in_its_cell():
    assert table(("a", "b"), [("x|y", "one\ntwo")]) == "| a | b |\n| --- | --- |\n| x\\|y | one two |"
