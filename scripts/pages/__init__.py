"""The generated pages, by path: each is a function that returns the whole text."""

from collections.abc import Callable

from scripts.pages.dead_letters import dead_letters_page
from scripts.pages.events import events_page
from scripts.pages.features import features_page
from scripts.pages.settings import example_config, settings_page
from scripts.pages.topics import topics_page

PAGES: dict[str, Callable[[], str]] = {
    "config/vigia.toml": example_config,
    "docs/dead-letters.md": dead_letters_page,
    "docs/events.md": events_page,
    "docs/features.md": features_page,
    "docs/settings.md": settings_page,
    "docs/topics.md": topics_page,
}
