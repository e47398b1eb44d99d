"""How many events were refused, where and why."""

import msgspec
from sqlalchemy import func, select

from vigia.stores.queries.reader import Reader
from vigia.stores.sql.tables import dead_letters


class DeadLetterCount(msgspec.Struct, frozen=True):
    """The number of dead letters of one topic and reason."""

    topic: str
    reason: str
    count: int


def dead_letter_counts(reader: Reader, status: str = "open") -> list[DeadLetterCount]:
    """Return the counts of dead letters in this status, by topic and reason; reads an index, not the letters."""
    group = (dead_letters.c.topic, dead_letters.c.reason)
    query = select(*group, func.count()).where(dead_letters.c.status == status).group_by(*group).order_by(*group)
    return [DeadLetterCount(*row) for row in reader.fetch(query)]
