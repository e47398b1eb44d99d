"""What a person sees of a deployment and its risk: plain lines that read well in a pipeline's log.

Colours only repeat what the words say. Whatever came from outside is printed without control characters.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import TextIO

from vigia.cli.emit.verdict import Verdict, verdict
from vigia.events.deployments import Deployment
from vigia.events.feedback import Label
from vigia.events.risk import Contribution, Risk

WIDTH = 100
MARGIN = 15
BAR = 50
"""Characters that stand for 0 to 100 %."""

SHOWN = 5
"""Contributions and pieces of advice that are shown."""

HEADLINES: dict[Verdict, str] = {
    "ok": "OK: safer than nearly all that fail",
    "look": "LOOK: a person should look",
    "fail": "FAIL: riskier than nearly all that go well",
    "gated": "STOP: a rule of the policy says no, whatever the score",
}
COLOURS: dict[Verdict, str] = {"ok": "32", "look": "33", "fail": "31", "gated": "31"}

LABELS: dict[Label, str] = {
    "intervention": "that it needs intervention in production",
    "ci_status": "that CI reports a failure",
    "defect": "that it brings a defect which is found later",
}


def coloured(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to use colours: on a terminal, or where FORCE_COLOR asks for them; never with NO_COLOR."""
    return not environ.get("NO_COLOR") and (bool(environ.get("FORCE_COLOR")) or stream.isatty())


def lines(
    event: Deployment, risk: Risk | None, notes: tuple[str, ...], since: str = "", *, colours: bool = False
) -> list[str]:
    """Return what is said of a deployment; without a risk only what was sent. `since` is the commit it follows."""
    told = [_headline(event, since)]
    if risk is not None:
        told += ["", *_risk(risk, colours=colours)]
    for note in notes:
        told += _row("not known" if note is notes[0] else "", note)
    return told


def clean(text: str) -> str:
    r"""Return `text` as it may be printed: a control character could move the cursor, or end a log's line.

    >>> clean("fine \x1b[2J")
    'fine ?[2J'
    """
    return "".join("?" if unicodedata.category(each)[0] == "C" else each for each in text)


def clean_lines(text: str) -> str:
    """Return `text` as `clean` does, but with its line breaks."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _headline(event: Deployment, since: str) -> str:
    number = len(event.commits)
    commits = f"{number:,} commit{'s' if number != 1 else ''}"
    brought = f" ({commits}{f' since {since[:12]}' if since else ''})" if number else ""
    return clean(f"{event.service} to {event.environment}: {event.version or event.external_id}{brought}")


def _risk(risk: Risk, *, colours: bool) -> Iterator[str]:
    said = verdict(risk)
    headline = HEADLINES[said]
    yield from _row("decision", f"\x1b[1;{COLOURS[said]}m{headline}\x1b[0m" if colours else headline)
    yield from _row("", _certainty(risk))
    for gate in risk.gates:
        yield from _row("gate", f"{gate.name}: {gate.reason}")
    low, high = risk.interval
    usual = "" if risk.usual is None else f"; usual here: {_percent(risk.usual)}"
    yield from _row("risk", f"{_percent(risk.probability)} (90 % interval {_percent(low)} to {_percent(high)}){usual}")
    yield from _row("", _bar(risk.probability, low, high))
    yield from _row("", f"{LABELS[risk.label]}; {_learned(risk)}")
    yield from _track_record(risk)
    for index, each in enumerate(risk.contributions[:SHOWN]):
        yield from _row("why" if not index else "", _reason(each))
    for index, advice in enumerate(risk.advice[:SHOWN]):
        yield from _row("what helps" if not index else "", f"{advice.words} ({_percent(advice.probability)} then)")


def _certainty(risk: Risk) -> str:
    answers = set(risk.decision)
    if len(answers) != 1:
        return "neither answer can be excluded"
    if not risk.error_level:
        return "the other answer is excluded"
    # the level is one of each class: where few fail, most of those that are told "fail" go well all the same
    others, told = ("fail", "OK") if answers == {"ok"} else ("go well", "FAIL")
    return f"of deployments that {others}, about {_percent(risk.error_level)} are told {told}"


def _learned(risk: Risk) -> str:
    outcomes = f"{risk.learned_from:,} outcome{'s' if risk.learned_from != 1 else ''}"
    return f"model {risk.model} of {risk.scope} has learned from {outcomes}"


def _track_record(risk: Risk) -> Iterator[str]:
    record = risk.track_record
    if not record.judged or record.right is None:
        yield from _row("so far", f"no deployment of {risk.service} was judged yet: nobody knows how good this is")
        return
    base = f"; {_percent(record.base_rate)} failed" if record.base_rate is not None else ""
    yield from _row("so far", f"right on {_percent(record.right)} of {record.judged:,} of {risk.service}{base}")


def _reason(contribution: Contribution) -> str:
    value = "not known" if contribution.value is None else f"{contribution.value:,.4g}"
    words = contribution.words or f"{contribution.feature}: {value}"
    return f"{'+' if contribution.log_odds > 0 else '-'} {words} ({contribution.log_odds:+.2f})"


def _bar(probability: float, low: float, high: float) -> str:
    """Return the interval on a line from 0 to 100 %.

    >>> _bar(0.5, 0.25, 0.75)
    '0 |............=============#============............| 100 %'
    """
    first, last, at = (min(BAR - 1, max(0, int(share * BAR))) for share in (low, high, probability))
    marks = ["=" if first <= index <= last else "." for index in range(BAR)]
    marks[at] = "#"
    return f"0 |{''.join(marks)}| 100 %"


def _percent(share: float) -> str:
    # a hundredth of a risk below one percent matters as much as ten of one above
    return f"{100 * share:.0f} %" if share >= 0.0995 or share == 0 else f"{100 * share:.1f} %"  # noqa: PLR2004


def _row(name: str, text: str) -> Iterator[str]:
    """Yield a named line, broken at words."""
    escape = text.startswith("\x1b[")
    parts = [text] if escape else wrap(clean(text), WIDTH - MARGIN, break_long_words=False, break_on_hyphens=False)
    for index, part in enumerate(parts):
        yield f"  {name if not index else '':<{MARGIN - 2}}{part}"
