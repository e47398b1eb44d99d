"""What is remembered of a problem: the latest version seen of it, and the proposal made for it."""

import msgspec

from vigia.events.identity import derive_id
from vigia.events.remediation import Proposal

KEY_PREFIX = "problem:"


class ProblemState(msgspec.Struct, frozen=True, array_like=True):
    """One problem. `version` is the highest seen, so that what arrives out of order is recognised."""

    version: int
    proposal: Proposal | None = None
    """The proposal in its latest version; at most one is ever made for a problem."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ProblemState)


def key_of(service: str, problem_id: str) -> str:
    """Return the state key of a problem. The service decides the lane, so it is part of the key."""
    return f"{KEY_PREFIX}{service}:{derive_id('problem', problem_id)}"


def service_in(key: str) -> str:
    """Return the service in a state key.

    >>> service_in(key_of("shop: web", "p:1"))
    'shop: web'
    """
    return key.removeprefix(KEY_PREFIX).rpartition(":")[0]


def dump_problem(state: ProblemState) -> bytes:
    """Return the stored form: msgpack of plain data."""
    return _ENCODER.encode(state)


def load_problem(body: bytes) -> ProblemState:
    """Return the state from its stored form; raises msgspec.ValidationError when it is none."""
    return _DECODER.decode(body)
