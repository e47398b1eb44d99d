"""The usual batch of samples: every record one good single sample without an id, in its place, on time.

Such a batch is checked as a whole, with loops that run in C; any other goes the careful way of `intake.py`, which says
of each event what is wrong with it. Both ways give the same for a batch that is plain: a property test holds them
together.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from vigia.events.samples import Sample
from vigia.stores.base import Record
from vigia.streaming.oversize import MAX_VALUE

_decode = msgspec.json.Decoder(Sample).decode
_headers, _key, _value = attrgetter("headers"), attrgetter("key"), attrgetter("value")
_points, _event_id, _service, _ts = (
    attrgetter("points"),
    attrgetter("event_id"),
    attrgetter("service"),
    attrgetter("ts"),
)


def plain_samples(
    records: Sequence[Record], names: dict[bytes, str], earliest: float, future_limit: float
) -> list[Sample] | None:
    """Return the samples of a plain batch, or None when anything about it needs a closer look.

    `names` has the keys that are known to belong in the batch's partition, as text; `earliest` is the lowest Kafka
    time of the records, in epoch seconds.
    """
    if any(map(_headers, records)):
        return None
    keys, values = list(map(_key, records)), list(map(_value, records))
    if None in values or max(map(len, values)) > MAX_VALUE:
        return None
    try:
        samples = list(map(_decode, values))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if any(map(_points, samples)) or any(map(_event_id, samples)):
        return None
    # a key that is not known yet is None here, and so is equal to no service
    if list(map(names.get, keys)) != list(map(_service, samples)):
        return None
    return samples if max(map(_ts, samples)) <= earliest + future_limit else None
