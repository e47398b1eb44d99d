"""What a gate makes of a risk: one word, and its exit code."""

from typing import Literal

from vigia.cli.exits import FAIL, GATED, LOOK, OK
from vigia.events.risk import Risk

Verdict = Literal["ok", "look", "fail", "gated"]

EXITS: dict[Verdict, int] = {"ok": OK, "look": LOOK, "fail": FAIL, "gated": GATED}


def verdict(risk: Risk) -> Verdict:
    """Return what was decided: a hard gate overrides the score, and both answers are a person's to decide, as none
    would be.
    """
    if risk.gates:
        return "gated"
    answers = set(risk.decision)
    if answers == {"ok"}:
        return "ok"
    return "fail" if answers == {"fail"} else "look"
