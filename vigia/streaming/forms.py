"""In which form states are written while workers of two releases run: the older one, until all read the newer.

A release reads its own form of states and the one before. So that the release before can take a lane over again, a
model of a new form also writes the old one (`PreviousForm`), and does so until every worker that is known reads the new
one. What a worker knows of the others comes from their signs of life.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from vigia.events.effects import Model
from vigia.stores.base import StateRow, WorkerRow
from vigia.stores.errors import Unusable
from vigia.streaming.route import Route


class PreviousForm(Protocol):
    """What a model has besides `Model` that can be taken back to the release before."""

    def dump_previous(self, key: str, state: Any) -> bytes:
        """Return the stored form of a state in version `schema - 1`: what that release would have written."""


class Forms:
    """Which agents hold back their new form; without any, all write their newest. Safe to use from several threads."""

    def __init__(self, held_back: Iterable[str] = ()) -> None:
        self._held_back = frozenset(held_back)

    @staticmethod
    def cautious(routes: Iterable[Route]) -> "Forms":
        """Return those of a worker that knows nobody yet: it writes the old form wherever there is one."""
        return Forms(route.agent for route in routes if _has_previous(route.model))

    def learn(self, routes: Iterable[Route], workers: Iterable[WorkerRow]) -> None:
        """Take in what all workers, ourselves among them, say they can read. One that is late counts: it may come back.

        A worker that knows nothing of an agent does not run it.
        """
        known = list(workers)
        self._held_back = frozenset(
            route.agent
            for route in routes
            if _has_previous(route.model)
            and any(row.schemas.get(route.agent, route.model.schema) < route.model.schema for row in known)
        )

    def newest(self, agent: str) -> bool:
        """Return whether the agent's states are to be written in its newest form."""
        return agent not in self._held_back

    def state_row(self, route: Route, key: str, state: Any) -> StateRow:
        """Return a state as it is to be stored now; None deletes it."""
        model: Any = route.model
        previous = not self.newest(route.agent) and _has_previous(model)
        schema = model.schema - 1 if previous else model.schema
        if state is None:
            return StateRow(key, schema, None)
        return StateRow(key, schema, model.dump_previous(key, state) if previous else model.dump(key, state))


def check_readable(model: Model[Any, Any], stored: StateRow) -> None:
    """Raise Unusable for a state of a form that this release does not know.

    It is nobody's bug, and no event is to blame: neither may be set aside for it.
    """
    if not model.schema - 1 <= stored.schema <= model.schema:
        way = (
            "it was written by a newer release, which all workers had reached: upgrade this one"
            if stored.schema > model.schema
            else "it was written by a release too long ago: go through the releases between, one at a time, or rebuild"
        )
        raise Unusable(
            f"the state of {stored.key!r} has version {stored.schema} of the model {model.name}, and this release "
            f"reads {model.schema - 1} and {model.schema}; {way}"
        )


def _has_previous(model: object) -> bool:
    return hasattr(model, "dump_previous")
