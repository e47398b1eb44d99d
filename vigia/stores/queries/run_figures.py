"""What all lanes together have counted since they began."""

from collections import Counter

from sqlalchemy import select

from vigia.stores.queries.reader import Reader
from vigia.stores.sql.lanes import decode_numbers
from vigia.stores.sql.tables import lanes


def run_figures(reader: Reader) -> dict[str, int]:
    """Return each figure of `vigia/events/figures.py` summed over all lanes, by name."""
    total: Counter[str] = Counter()
    for (counts,) in reader.fetch(select(lanes.c.counts)):
        total.update(decode_numbers(counts))
    return dict(sorted(total.items()))
