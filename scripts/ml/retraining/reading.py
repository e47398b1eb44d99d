"""Reads what the deployments agent keeps of every deployment, as examples for each kind of label."""

from collections.abc import Callable, Mapping, Sequence

from vigia.app.shadows import AGENT, scored_state
from vigia.events.feedback import Label
from vigia.models.deployments.examples import Example, example
from vigia.models.deployments.scoring import LABELS
from vigia.models.deployments.states import DEPLOYMENT, scope_in
from vigia.stores.sql.conditions import chunks
from vigia.stores.sql.summaries import SqlSummaries

MOST = 100_000
"""The newest so many deployments are used: that bounds memory (about 1 GB) and time."""

STATES_AT_ONCE = 500

Examples = Mapping[Label, Sequence[Example]]


def read(
    summaries: SqlSummaries,
    scope: str,
    waiting_times: Mapping[Label, float],
    say: Callable[[int, int], None],
    most: int = MOST,
) -> Examples:
    """Return the examples by kind of label, each in the order of their scores; `scope` empty: those of all scopes.

    Deployments of which nothing was heard for `risk.forget_after` are gone. `say` is told how many of how many states
    were read.
    """
    found: dict[Label, list[Example]] = {label: [] for label in LABELS}
    for row in summaries.lanes():
        if row.lane.agent != AGENT:
            continue
        keys = [key for key in summaries.state_keys(row.lane) if key.startswith(DEPLOYMENT)]
        keys = [key for key in keys if not scope or scope_in(key) == scope]
        done = 0
        for some in chunks(keys, STATES_AT_ONCE):
            for stored in summaries.load(row.lane, some, ()).states.values():
                state = scored_state(stored)
                for label in LABELS if state is not None else ():
                    one = example(state, label, waiting_times)  # type: ignore[arg-type] # not None, see above
                    if one is not None:
                        found[label].append(one)
            done += len(some)
            say(done, len(keys))
    return {label: sorted(examples, key=_order)[-most:] for label, examples in found.items()}


def told(examples: Sequence[Example]) -> tuple[int, int]:
    """Return of how many it is known that they failed, and that they are clean."""
    return sum(each.failed is True for each in examples), sum(each.failed is False for each in examples)


def most_told(examples: Examples) -> Label:
    """Return the kind of which most of the rarer answer is known, as the online model chooses its own."""
    return max(LABELS, key=lambda label: (min(told(examples[label])), sum(told(examples[label]))))


def _order(one: Example) -> tuple[float, str]:
    # states come in the order of ids, which are random: of two scored at one time the same is always first
    return one.scored_at, repr(one.values)
