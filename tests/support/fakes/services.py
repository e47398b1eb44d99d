"""Names that belong into a given partition."""

from functools import cache
from itertools import count, islice

from tests.support.fakes.world import PARTITIONS
from vigia.streaming.partitions import partition_of


@cache
def services_of(partition: int, number: int = 4) -> list[str]:
    """The first services whose key belongs into this partition."""
    names = (f"service-{n}" for n in count())
    return list(islice((name for name in names if partition_of(name.encode(), PARTITIONS) == partition), number))
