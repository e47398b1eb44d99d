"""A route: which agent reads which topics, with which model, and how its raw events are kept."""

from dataclasses import dataclass
from typing import Any

from vigia.events.effects import Model
from vigia.events.topic import Topic


@dataclass(frozen=True, slots=True)
class Route:
    """One line of `app.py`'s ROUTES.

    `packed` keeps a fetched batch as one compressed row of the raw log, instead of one readable row an event. `emits`
    are the topics that the model may write to.
    """

    agent: str
    topics: tuple[Topic, ...]
    model: Model[Any, Any]
    packed: bool
    emits: tuple[Topic, ...]

    def topic(self, name: str) -> Topic:
        """Return the agent's topic with this name."""
        return next(topic for topic in self.topics if topic.name == name)
