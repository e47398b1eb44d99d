"""Which partition a key belongs to: murmur2, as Java's and aiokafka's default partitioners compute it.

kcat and librdkafka hash with CRC32 unless told otherwise, so a record's partition is checked, not trusted.
"""

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


def partition_of(key: bytes, count: int) -> int:
    """Return the partition in [0, count) for `key`."""
    return int((murmur2(key) & _POSITIVE) % count)
