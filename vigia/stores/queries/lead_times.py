"""The lead times of commits: exact order statistics of any number of rows, in two passes over an index.

To sort a year of an organisation takes a database half a second. So the first pass counts commits in classes of lead
time, 1.3 % wide, and the second fetches the few classes in which the wanted ranks lie, from an index that begins with
them. The commits of first deployments
do not count: they are few, are fetched by themselves, and taken off.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from vigia.events import dora
from vigia.events.dora_facts import DayMedian, LeadTimes, Question
from vigia.events.summaries import DeliveredCommitSummary
from vigia.stores.queries.delivery_conditions import asked, between, day_of
from vigia.stores.queries.delivery_counts import FirstDelivery
from vigia.stores.queries.reader import Reader
from vigia.stores.sql.summary_tables import TABLES

_commits = TABLES[DeliveredCommitSummary]
_class = _commits.c.lead_class

Ranks = Callable[[int], Iterable[int]]
Conditions = list[ColumnElement[bool]]


class _First:
    """The commits of first deployments: how many there are of each class of lead time, and which."""

    def __init__(self, rows: Iterable[tuple[int | None, float | None, float | None]]) -> None:
        self.classes: Counter[int | None] = Counter()
        self.members: dict[int | None, Counter[float | None]] = {}
        self.unknown = 0
        for each, lead_time, committed_at in rows:
            self.classes[each] += 1
            self.members.setdefault(each, Counter())[lead_time] += 1
            self.unknown += committed_at is None


def lead_times(
    reader: Reader, question: Question, firsts: Sequence[FirstDelivery], ranks: Ranks, *, days: bool
) -> LeadTimes:
    """Return the lead times of the ranks that `ranks` names once it is told how many there are.

    `firsts` are the first deliveries of services. With `days`, the median of each day comes with them.
    """
    whose = [
        _commits.c.environment.in_(question.environments),
        *asked(question, _commits, _commits.c.delivered_at),
    ]
    wanted = [between(_commits.c.delivered_at, question.since, question.until), *whose]
    first = _First(_of_firsts(reader, whose, firsts))
    counted = reader.fetch(_by_scope(question, select(_class, func.count()).where(*wanted).group_by(_class)))
    sizes: dict[int | None, int] = {each: count - first.classes[each] for each, count in counted}
    without = sizes.pop(None, 0)
    n = sum(sizes.values())
    excluded = _without_lead_time(reader, wanted, without, first) if without else {}
    excluded[dora.FIRST_DEPLOYMENT] = first.classes.total()
    known = {each: size for each, size in sizes.items() if each is not None and size}
    return LeadTimes(
        n,
        _ranked(reader, wanted, known, first, sorted(set(ranks(n)))) if n else {},
        {reason: count for reason, count in excluded.items() if count},
        _by_day(reader, wanted, firsts) if days else (),
    )


def _by_scope(question: Question, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return the query with its teams' index named, where teams are what is asked for: MariaDB would read all teams."""
    if question.of != "organisation":
        return query
    for dialect in ("mysql", "mariadb"):
        query = query.with_hint(_commits, "FORCE INDEX (commits_by_scope)", dialect)
    return query


def _ranked(
    reader: Reader, wanted: Conditions, sizes: dict[int, int], first: _First, ranks: list[int]
) -> dict[int, float]:
    """Return the lead times of these ranks."""
    classes = sorted(sizes)
    below = dict(zip(classes, accumulate((sizes[each] for each in classes), initial=0), strict=False))
    class_of = {
        rank: next(each for each in classes if below[each] < rank <= below[each] + sizes[each]) for rank in ranks
    }
    needed = sorted(set(class_of.values()))
    members: dict[int, list[float]] = {each: [] for each in needed}
    for each, lead_time in reader.fetch(select(_class, _commits.c.lead_time).where(*wanted, _class.in_(needed))):
        members[each].append(lead_time)
    kept = {each: _without(members[each], first.members.get(each)) for each in needed}
    return {rank: kept[each][rank - below[each] - 1] for rank, each in class_of.items()}


def _without(values: list[float], taken_off: Counter[float | None] | None) -> list[float]:
    left: Counter[float | None] = Counter(values)
    left.subtract(taken_off or {})
    return sorted(value for value in left.elements() if value is not None)


def _by_day(reader: Reader, wanted: Conditions, firsts: Sequence[FirstDelivery]) -> list[DayMedian]:
    day = day_of(_commits.c.delivered_at)
    counted = [*wanted, _commits.c.lead_time.is_not(None)]
    if firsts:
        counted.append(~_one_of(firsts))
    numbered = (
        select(
            day.label("day"),
            _commits.c.lead_time.label("lead_time"),
            func.row_number().over(partition_by=day, order_by=_commits.c.lead_time).label("place"),
            func.count().over(partition_by=day).label("n"),
        )
        .where(*counted)
        .subquery()
    )
    columns = numbered.c
    query = (
        select(columns.day, columns.n, columns.lead_time)
        .where(or_(columns.place * 2 == columns.n, columns.place * 2 == columns.n + 1))
        .order_by(columns.day)
    )
    return [DayMedian(int(each), n, median) for each, n, median in reader.fetch(query)]


def _one_of(firsts: Sequence[FirstDelivery]) -> ColumnElement[bool]:
    columns = _commits.c
    exactly = (
        and_(columns.service == each.service, columns.environment == each.environment, columns.delivered_at == each.at)
        for each in firsts
    )
    # the list of times rules nearly all rows out
    return and_(columns.delivered_at.in_([each.at for each in firsts]), or_(*exactly))


def _of_firsts(
    reader: Reader, whose: Conditions, firsts: Sequence[FirstDelivery]
) -> Iterable[tuple[int | None, float | None, float | None]]:
    """Return class, lead time and time of each commit of a first delivery."""
    if not firsts:
        return []
    columns = _commits.c
    wanted = {(each.service, each.environment, each.at) for each in firsts}
    query = select(
        columns.service, columns.environment, columns.delivered_at, _class, columns.lead_time, columns.committed_at
    ).where(*whose, columns.delivered_at.in_(sorted({each.at for each in firsts})))
    return [tuple(row[3:]) for row in reader.fetch(query) if tuple(row[:3]) in wanted]


def _without_lead_time(reader: Reader, wanted: Conditions, total: int, first: _First) -> dict[str, int]:
    """Return why commits have no lead time: nobody told when they were made, or it was after they were delivered."""
    unknown = select(func.count()).select_from(_commits)
    unknown = unknown.where(*wanted, _commits.c.lead_time.is_(None), _commits.c.committed_at.is_(None))
    count = int(reader.fetch(unknown)[0][0]) - first.unknown
    return {dora.NO_COMMIT_TIME: count, dora.COMMITTED_LATER: total - count}
