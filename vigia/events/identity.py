"""How ids are derived: from causes, never from chance, so that a repeated step gives the same ids.

An id is the first 128 bits of BLAKE2b over the length-prefixed parts, in hex: 32 characters, and no two lists of parts
share an encoding.
"""

from hashlib import blake2b

ID_LENGTH = 32
"""Characters in a derived id."""


def derive_id(kind: str, *parts: str) -> str:
    """Return the id of the `kind` of thing that `parts` identify.

    >>> derive_id("deployment", "ci.example", "42") == derive_id("deployment", "ci.example", "42")
    True
    >>> derive_id("deployment", "ab", "c") == derive_id("deployment", "a", "bc")
    False
    """
    digest = blake2b(digest_size=16)
    for part in (kind, *parts):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def content_hash(encoded: bytes) -> bytes:
    """Return the 16-byte BLAKE2b digest by which two contents under one id are compared."""
    return blake2b(encoded, digest_size=16).digest()
