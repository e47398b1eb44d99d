"""The process in which challengers score: `python -m vigia.app.shadow_process`, one question on stdin, one answer on
stdout, both msgpack.

It has no connection to anything, so what it does, however long it takes and whatever a file makes of it, ends with it.
"""

import os
import sys

import msgspec

from vigia.models.risk.challengers.files import Refused, load
from vigia.models.risk.challengers.fitting import Kind, encoded, probabilities
from vigia.models.risk.features import Values

NICE = 10
"""How far it stands back for the lanes."""


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """A model's file as the registry has it, and the deployments' features that it is to score."""

    kind: Kind
    digest: str
    body: bytes
    deployments: list[Values]


class Answered(msgspec.Struct, array_like=True, frozen=True):
    """Probabilities of a failure, one a deployment; or why there is none."""

    probabilities: list[float]
    refused: str = ""


def answer(asked: Asked) -> Answered:
    """Return what the model says; a file that is refused is no error of this process."""
    try:
        model = load(asked.kind, asked.body, asked.digest)
    except Refused as error:
        return Answered([], str(error))
    return Answered(probabilities(model, encoded(asked.deployments)).tolist())


def main() -> None:
    """Answer one question."""
    os.nice(NICE)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(asked)))


if __name__ == "__main__":
    main()
