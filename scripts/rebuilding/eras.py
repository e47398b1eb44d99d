"""When partitions were added to an agent's topics: all its lanes must have come there before any of them goes on."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vigia.stores.base import LaneId, LaneRow
from vigia.stores.sql.interventions import Intervention
from vigia.stores.sql.repartition import Change
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.repartition import Repartition
from vigia.streaming.route import Route


@dataclass(frozen=True)
class Era:
    """The end of an era: from `before` to `after` partitions, in each lane in the place of one of its steps."""

    before: int
    after: int
    done: dict[LaneId, Intervention]

    def is_over(self, rebuilt: Iterable[LaneRow]) -> bool:
        """Return whether the rebuilt lanes of the agent have it behind them."""
        return any(row.partition_count >= self.after for row in rebuilt)

    def end(self, route: Route, rebuilt: SqlSummaries) -> None:
        """Let everything go to its new lanes, as it did in the live database."""
        plan = Repartition(
            route.agent, tuple(topic.name for topic in route.topics), route.model, self.before, self.after
        )
        held = [row for row in rebuilt.lanes() if row.lane.agent == route.agent]
        rows = plan.rows(held, held[0].cluster_id)
        rebuilt.repartition(plan, Change(held, rows, [self.done[row.lane] for row in rows]), lambda _what, _rows: None)


def eras_of(live: SqlSummaries, rows: Iterable[LaneRow]) -> list[Era]:
    """Return the eras of one agent that are over, in order; `rows` are where its live lanes stand."""
    found: defaultdict[tuple[int, int], dict[LaneId, Intervention]] = defaultdict(dict)
    for row in rows:
        for each in live.interventions(row.lane):
            if each.kind == "repartition" and each.sequence <= row.step:
                found[each.after, each.before][row.lane] = each
    return [Era(before, after, done) for (after, before), done in sorted(found.items())]
