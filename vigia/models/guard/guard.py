"""Judges who says something: by the rules, the sender's name and the signature. Knows no state; `model.py` counts.

A name without a key is only a claim: whoever may write to the topic can make it. The same rules judge a record again in
a rebuild, by its Kafka time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vigia.events.base import Event
from vigia.events.feedback import (
    OWN_SENDER,
    AttributionCorrected,
    ChangeMerged,
    DecisionFeedback,
    Feedback,
    IncidentOpened,
    IncidentResolved,
    Outcome,
    PipelineRun,
    sender_of,
)
from vigia.events.invalid import Reason
from vigia.events.signing import is_signed, sign
from vigia.models.guard.rules import KeyRule, Kind, OtherRule, Rules, SenderRule

KIND_OF: dict[type, Kind] = {
    Outcome: "outcome",
    IncidentOpened: "incident",
    IncidentResolved: "incident",
    AttributionCorrected: "attribution",
    DecisionFeedback: "judgement",
    PipelineRun: "run",
    ChangeMerged: "change",
}

OTHERS = "others"
"""The table of senders that no entry matches."""

ANY = ("*",)

NO_SCOPE = "unassigned"
"""The scope that a judgement without scope and service gets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the rules: `name` as it is said in dead letters, and how senders are told."""

    name: str
    rule: OtherRule
    names: tuple[str, ...] = ()
    keys: tuple[KeyRule, ...] = ()


class Guard:
    """The rules at work. `secrets` has the value of each variable that they name; `scope_of` is the catalog's."""

    def __init__(
        self, rules: Rules, secrets: Mapping[str, bytes], scope_of: Callable[[str, float], str], source: str
    ) -> None:
        self._since = rules.since.timestamp() if rules.since is not None else None
        self._secrets = secrets
        self._scope_of = scope_of
        self._source = source
        self._own = rules.sender.get(OWN_SENDER, SenderRule())
        self._entries = [Entry(f"[sender.{OWN_SENDER}]", self._own, (OWN_SENDER,), self._own.keys)]
        self._entries += [
            Entry(f"[sender.{name}]", rule, rule.names or (name,), rule.keys)
            for name, rule in rules.sender.items()
            if name != OWN_SENDER
        ]
        self._others = Entry(f"[{OTHERS}]", rules.others)
        self.counts = any(entry.rule.a_day is not None for entry in (*self._entries, self._others))

    def entry_of(self, event: Feedback) -> Entry:
        """Return the first entry that matches the event's sender."""
        sender = sender_of(event)
        # the patterns of a file, never a name from outside, decide how long this takes
        return next(
            (entry for entry in self._entries if any(fnmatchcase(sender, each) for each in entry.names)), self._others
        )

    def refusal(self, event: Event, at: float) -> tuple[Reason, str] | None:
        """Return why the sender may not say this in a record of Kafka time `at`; None when it may."""
        kind = KIND_OF.get(type(event))
        if kind is None or self._is_before(at):
            return None
        feedback: Feedback = event  # type: ignore[assignment] # what has a kind is one
        entry = self.entry_of(feedback)
        if kind not in entry.rule.kinds:
            return Reason.NOT_ALLOWED, f"{self._who(feedback, entry)} may not send the kind {kind}"
        about = self._about(feedback, entry)
        if about:
            return Reason.NOT_ALLOWED, about
        if not entry.keys:
            return None
        keys = [self._secrets[key.variable] for key in entry.keys if key.until is None or at < key.until.timestamp()]
        if is_signed(feedback, keys, scope_was_filled=feedback.scope == self._scope_by_catalog(feedback)):
            return None
        what = "the signature is of none of its keys" if feedback.signature else "there is no signature"
        return Reason.BAD_SIGNATURE, f"{self._who(feedback, entry)} signs what it sends, and {what}"

    def binds(self, event: Event) -> bool:
        """Return whether the event's sender may speak of some services only."""
        return type(event) in KIND_OF and self.entry_of(event).rule.services != ANY  # type: ignore[arg-type] # as above

    def beyond(self, event: Feedback, services: Iterable[str], at: float) -> str:
        """Return why the sender may not speak of what is known to belong to these services, or the empty string."""
        if self._is_before(at):
            return ""
        entry = self.entry_of(event)
        other = next((each for each in services if not _matches(each, entry.rule.services)), None)
        return "" if other is None else f"{self._who(event, entry)} may not speak of the service {other!r}"

    def limit_of(self, event: Event, at: float) -> tuple[Entry, int] | None:
        """Return the entry whose limit the event counts towards, and the limit a day; None when there is none."""
        if type(event) not in KIND_OF or self._is_before(at):
            return None
        entry = self.entry_of(event)  # type: ignore[arg-type] # as above
        return None if entry.rule.a_day is None else (entry, entry.rule.a_day)

    def signed(self, event: Event) -> Event:
        """Return what Vigia itself says, signed with its newest key where it has one; anything else as it is."""
        if not self._own.keys or type(event) not in KIND_OF or getattr(event, "sender", "") != OWN_SENDER:
            return event
        return sign(event, self._secrets[self._own.keys[0].variable])

    def _about(self, event: Feedback, entry: Entry) -> str:
        if isinstance(event, DecisionFeedback):
            if _matches(event.agent, entry.rule.agents):
                return ""
            return f"{self._who(event, entry)} may not judge the AI agent {event.agent!r}"
        if _matches(event.service, entry.rule.services):
            return ""
        which = f"the service {event.service!r}" if event.service else "no service by name, and it names none"
        return f"{self._who(event, entry)} may not speak of {which}"

    def _who(self, event: Feedback, entry: Entry) -> str:
        return f"the sender {sender_of(event)!r} ({entry.name} of {self._source})"

    def _scope_by_catalog(self, event: Feedback) -> str:
        return self._scope_of(event.service, event.occurred_at) if event.service else NO_SCOPE

    def _is_before(self, at: float) -> bool:
        return self._since is not None and at < self._since


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
