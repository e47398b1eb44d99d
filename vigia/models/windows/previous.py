"""The stored form of a service in the release before (schema 3), written while a worker of that release may come back.

That release knows no mutes by event, reads the array by position and ignores what follows the fields it knows. So they
follow: this release reads them back, and nothing depends on the form. What the release before has rewritten comes back
without them: whoever has muted something and goes back to that release must look whether it holds.
"""

from vigia.models.windows.state import ServiceState, dump_service, load_service


def dump_previous(state: ServiceState) -> bytes:
    """Return what the release before reads as a state of its own."""
    return dump_service(state)


def load_previous(body: bytes) -> ServiceState:
    """Return the state from that form, whichever release wrote it; raises msgspec.ValidationError when it is none."""
    return load_service(body)
