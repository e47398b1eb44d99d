"""Which proposals of a service may be offered again, and which of them a person has answered. Pure data.

A verdict names a proposal and not its problem, so what is known by both is the service. Only answers to what was
offered are kept: whatever else verdicts name leaves nothing behind.
"""

import msgspec

MOST = 200
"""Proposals of one service that are remembered; an answer to one that is older is forgotten."""


class Offer(msgspec.Struct, array_like=True, frozen=True):
    """A proposal that was offered: the version in which it was offered last, and whether a person has answered that."""

    version: int
    answered: bool = False


class OffersState(msgspec.Struct, array_like=True):
    """What is offered of one service, or may be offered again, by proposal id; the first offered first."""

    offers: dict[str, Offer] = msgspec.field(default_factory=dict)


def offer(state: OffersState, proposal_id: str, version: int) -> None:
    """Take in that a version is offered: an earlier one is not what people see any more."""
    state.offers.pop(proposal_id, None)
    state.offers[proposal_id] = Offer(version)
    while len(state.offers) > MOST:
        del state.offers[next(iter(state.offers))]


def answer(state: OffersState, proposal_id: str, version: int) -> bool:
    """Take in a verdict on a version; return whether that was new."""
    held = state.offers.get(proposal_id)
    if held is None or held.answered or held.version != version:
        return False
    state.offers[proposal_id] = Offer(version, answered=True)
    return True


def is_answered(state: OffersState, proposal_id: str) -> bool:
    """Return whether a person has answered the proposal as it was offered last."""
    held = state.offers.get(proposal_id)
    return held is not None and held.answered


def forget(state: OffersState, proposal_id: str) -> bool:
    """Take in that a proposal will not be offered again; return whether anything was known of it."""
    return state.offers.pop(proposal_id, None) is not None
