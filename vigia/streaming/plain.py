"""The usual batch of samples: every record one good single sample without an id, in its place, on time.

Such a batch is checked as a whole, with loops that run in C; any other goes the careful way of `intake.py`, which says
of each event what is wrong with it. Both ways give the same for a batch that is plain: a property test holds them
together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from vigia.events.samples import PlainSample, plain_times
from vigia.stores.records import Records
from vigia.streaming.oversize import MAX_VALUE

# one by one: msgspec takes longer over all of them joined to one text
_decode = msgspec.json.Decoder(PlainSample).decode


class Plain(NamedTuple):
    """The samples of a plain batch, with their event times and services."""

    samples: list[PlainSample]
    times: list[float]
    services: list[str]


def plain_samples(records: Records, names: dict[bytes, str], earliest: float, future_limit: float) -> Plain | None:
    """Return the samples of a plain batch, or None when anything about it needs a closer look.

    `names` has the keys that are known to belong in the batch's partition, as text; `earliest` is the lowest Kafka
    time of the records, in epoch seconds.
    """
    keys: Sequence[Any] = records.keys
    values: Sequence[Any] = records.values
    if records.headers is not None or None in values or max(map(len, values)) > MAX_VALUE:
        return None
    # a key that is not known yet is None here, and so is no service
    services: list[Any] = list(map(names.get, keys))
    try:
        samples = list(map(_decode, values))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    times = plain_times(samples)
    if times is None or services != [sample.service for sample in samples]:
        return None
    return Plain(samples, times, services) if max(times) <= earliest + future_limit else None
