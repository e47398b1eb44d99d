"""What is remembered of a problem: the latest version seen of it, the proposal made for it, and what it is part of.

Beside that: the deployments of a service, and what was offered of it. State keys name what the state is of. The
service, or the thing that services depend on, decides the lane, so it is part of the key.
"""

from typing import Any

import msgspec

from vigia.events.identity import derive_id
from vigia.events.problems import Problem
from vigia.events.remediation import Proposal
from vigia.models.remediation.deployments import DeployedState
from vigia.models.remediation.offers import OffersState
from vigia.models.remediation.shared import SharedState

PROBLEM, SHARED, DEPLOYED, OFFERS = "problem", "shared", "deployed", "offers"
"""Kinds of state, with which keys begin."""


class ProblemState(msgspec.Struct, frozen=True, array_like=True):
    """One problem. `version` is the highest seen, so that what arrives out of order is recognised."""

    version: int
    proposal: Proposal | None = None
    """The proposal in its latest version; at most one is ever made for a problem."""
    told_to: tuple[str, ...] = ()
    """What was told of it: the things that its service depended on when it opened, by any catalog so far."""
    part_of: tuple[str, ...] = ()
    """The problems with a common cause that it is taken for a consequence of."""
    latest: Problem | None = None
    """The problem as it was last told, while it is open and may become part of another one, or stand for itself again.
    """


RemediationState = ProblemState | SharedState | DeployedState | OffersState

_ENCODER = msgspec.msgpack.Encoder()
_PROBLEM = msgspec.msgpack.Decoder(ProblemState)
_OTHERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    SHARED: msgspec.msgpack.Decoder(SharedState),
    DEPLOYED: msgspec.msgpack.Decoder(DeployedState),
    OFFERS: msgspec.msgpack.Decoder(OffersState),
}


def key_of(service: str, problem_id: str) -> str:
    """Return the state key of a problem."""
    return f"{PROBLEM}:{service}:{derive_id('problem', problem_id)}"


def shared_key(thing: str, environment: str) -> str:
    """Return the state key of what services depend on."""
    return f"{SHARED}:{thing}:{derive_id('environment', environment)}"


def deployed_key(service: str, environment: str) -> str:
    """Return the state key of what was deployed of a service to an environment."""
    return f"{DEPLOYED}:{service}:{derive_id('environment', environment)}"


def offers_key(service: str) -> str:
    """Return the state key of what is offered of a service."""
    return f"{OFFERS}:{service}:"


def service_in(key: str) -> str:
    """Return the service, or thing, in a state key.

    >>> service_in(key_of("shop: web", "p:1")), service_in(shared_key("orders: db", "production"))
    ('shop: web', 'orders: db')
    >>> service_in(deployed_key("shop: web", "production")), service_in(offers_key("shop: web"))
    ('shop: web', 'shop: web')
    """
    return key.partition(":")[2].rpartition(":")[0]


def dump(state: RemediationState) -> bytes:
    """Return the stored form: msgpack of plain data."""
    return _ENCODER.encode(state)


def dump_previous(state: RemediationState) -> bytes:
    """Return the form of the release before, which knew of nothing shared, of no deployments and of no answers.

    It never asks for states of those, and ignores the deployment in a proposal, which is lost only when that release
    gives the proposal another status.
    """
    if isinstance(state, ProblemState):
        return _ENCODER.encode((state.version, state.proposal))
    return _ENCODER.encode(state)


def load(key: str, body: bytes) -> RemediationState:
    """Return the state from its stored form, this release's or the one before; raises msgspec.ValidationError."""
    state: RemediationState = _OTHERS.get(key.partition(":")[0], _PROBLEM).decode(body)
    return state
