"""Which fix is proposed for which detector's problems."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Action(NamedTuple):
    """A fix by name, with the parameters that the executor will be given."""

    name: str
    parameters: Mapping[str, str] = MappingProxyType({})


ACTIONS: Mapping[str, Action] = MappingProxyType({"high_error_rate": Action("rollback")})
"""The proposed action by detector; a problem of any other detector is for people to solve and gets no proposal."""
