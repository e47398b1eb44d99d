"""The stack whose servers the fault tests kill."""

from collections.abc import Iterator

import pytest

from tests.support.own_stack import OwnStack, own_stack


@pytest.fixture(scope="session")
def own(stack, tmp_path_factory) -> Iterator[OwnStack]:
    """Servers that a test may kill, started once for the session; the local stack is left alone."""
    with own_stack(tmp_path_factory.mktemp("own") / "stack") as running:
        yield running
