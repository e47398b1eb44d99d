"""What `config/feedback.toml` holds: senders, what each may say of what, how much a day, and the keys they sign with.

Models read no files: the composition root reads it, and the keys' values, and passes both. Without a file, and for
whatever no entry says, everything is accepted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from vigia.events.feedback import OWN_SENDER

Kind = Literal["outcome", "incident", "attribution", "judgement", "run", "change"]
"""The kinds of feedback: what came of a deployment, an incident (its beginning and end), a corrected attribution, a
judgement on an AI decision, a pipeline's run, a merged change.
"""

KINDS: tuple[Kind, ...] = ("outcome", "incident", "attribution", "judgement", "run", "change")

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Patterns = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...], msgspec.Meta(min_length=1)]
VariableName = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]{0,99}$")]


class RulesError(ValueError):
    """Rules that cannot be used; the message names the file and what is wrong."""


class KeyRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key, by the name of the environment variable that has it; `until` is when records signed with it end."""

    variable: VariableName
    until: Moment | None = None


class OtherRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sender may do. `services` bound all kinds but judgements, which `agents` bound; both are patterns as of
    file names. `a_day` is per team (judgements: per AI agent) and day in UTC.
    """

    kinds: tuple[Kind, ...] = KINDS
    services: Patterns = ("*",)
    agents: Patterns = ("*",)
    a_day: Annotated[int, msgspec.Meta(ge=1)] | None = None


class SenderRule(OtherRule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry: the senders whose names match `names` (by default its own name), and what they may do together."""

    names: Patterns | None = None
    keys: tuple[KeyRule, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `others` is for senders that no entry matches; records from before `since` are not judged."""

    since: Moment | None = None
    others: OtherRule = OtherRule()
    sender: dict[Annotated[str, msgspec.Meta(min_length=1, max_length=100)], SenderRule] = msgspec.field(
        default_factory=dict
    )

    @property
    def variables(self) -> list[str]:
        """The names of all variables that hold keys."""
        return sorted({key.variable for rule in self.sender.values() for key in rule.keys})


def parse_rules(content: Mapping[str, object], source: str) -> Rules:
    """Return the rules in `content`, read from the file `source`.

    >>> parse_rules({"sender": {"ci": {"kinds": ["run"]}}}, "feedback.toml").sender["ci"].kinds
    ('run',)
    >>> parse_rules({"sender": {"ci": {"kinds": ["praise"]}}}, "feedback.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    vigia.models.guard.rules.RulesError: feedback.toml: Invalid enum value 'praise' - at `$.sender[...].kinds[...]`
    """
    try:
        rules = msgspec.convert(content, Rules)
    except msgspec.ValidationError as error:
        raise RulesError(f"{source}: {error}") from error
    own = rules.sender.get(OWN_SENDER, SenderRule())
    if msgspec.structs.replace(own, keys=()) != SenderRule():
        raise RulesError(f"{source}: [sender.{OWN_SENDER}] is for what Vigia itself says: it can only have keys")
    if rules.variables and not own.keys:
        raise RulesError(
            f"{source}: senders sign, but [sender.{OWN_SENDER}] has no keys: anybody could send under that name"
        )
    return rules
