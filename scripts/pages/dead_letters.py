"""`docs/dead-letters.md`: every reason for which an event is refused, and what to do about it."""

from scripts.pages.markdown import code, page, table
from vigia.events.dead_letter import MAX_BODY
from vigia.events.invalid import EXPLANATIONS, Reason

WHAT_TO_DO: dict[Reason, str] = {
    Reason.EMPTY: "Find the sender that writes nulls. There is nothing to replay; accept it.",
    Reason.NOT_JSON: "Look at the body: often another format, a cut message, or not UTF-8. Mend the sender.",
    Reason.TOO_DEEP: "No event is nested so deep: look for a sender that wraps its messages, or for an attack.",
    Reason.TOO_LARGE: "Split the message at the sender. The detail says which limit was passed.",
    Reason.WRONG_TYPE: "The detail names the field. Compare the event with events.md and mend the sender.",
    Reason.MISSING_FIELD: "The detail names the field. Add it at the sender.",
    Reason.UNKNOWN_TYPE: "It went to the wrong topic, or its `type` is misspelt. The detail says what is carried.",
    Reason.BAD_NAME: "Mend the name at the sender: 1 to 200 visible characters without space around them.",
    Reason.BAD_VALUE: "The detail names the value and what is allowed. Mend the sender.",
    Reason.NOT_FINITE: "Leave out what was not measured instead of sending NaN or infinity.",
    Reason.BAD_TIME: "Send times as RFC 3339 with an offset (`2026-01-31T12:00:00Z`) or as epoch seconds.",
    Reason.NOT_SECONDS: "Divide at the sender: times are in seconds.",
    Reason.NEGATIVE_TIME: "Look for a sender that computes times, or sends durations as times.",
    Reason.FUTURE: "Set the sender's clock. The limit is `stream.future_limit`. Replay works once its time has come.",
    Reason.TOO_OLD: "Nothing can be mended: raise `metrics.retention` before backfilling, or accept it.",
    Reason.CONFLICTING_ID: (
        "Two events share an id and differ: the first counts. Give the second an id of its own at the sender, or "
        "accept it when it was a mistake."
    ),
    Reason.SERIES_CAP: (
        "Look for a label whose values never end (request ids, user names) and drop it at the sender; raise "
        "`metrics.series_cap` when the series are real. Then replay."
    ),
    Reason.WRONG_PARTITION: (
        "The number of partitions differs from what the worker knows, or something else re-partitions the topic. Run "
        "`python -m scripts.topics check`; replay when it is in order."
    ),
    Reason.NOT_ALLOWED: (
        "The detail names the rule. Mend the sender, or the rule in `config/feedback.toml` and replay; if neither is "
        "wrong, find out who tries (`docs/feedback.md`) and accept it."
    ),
    Reason.BAD_SIGNATURE: (
        "The detail names the rule. Compare the sender's key with the one that the workers have; else somebody else "
        "sends under this name, or changed what was sent."
    ),
    Reason.OVER_LIMIT: (
        "Find out why the sender says so much. When it is right, raise `a_day` in `config/feedback.toml` and replay; "
        "a replay counts on the day on which it arrives."
    ),
    Reason.MODEL_ERROR: (
        "A fault in Vigia: the traceback is in the detail. File it; replay after an upgrade that mends it. The lane "
        "went on without this event."
    ),
}
"""What a person does about a letter, by its reason."""

INTRODUCTION = f"""\
An event that cannot be used is refused, not lost: it becomes a record on the topic `dead-letters`, and the stream
goes on. A dead letter says why (`reason`, and a `detail` for this very event), where the original came from (topic,
partition, offset, position within the record), and carries up to {MAX_BODY // 1024} KiB of its body. All of it
stays in the raw log under the same place. Dead letters are keyed by the topic they came from, since an event that
cannot be decoded names no service.

One bad element of a JSON array does not take its neighbours with it: only that element is refused.

When refusals are too many (more than `stream.invalid_ratio` of at least `stream.invalid_minimum` events, or
`stream.invalid_run` in a row), the lane stops until a person releases it: then a sender or a setting is wrong, not
an event. What a known tool sends and nobody needs (most kinds of a webhook, CDEvents of other types) does not count for
that, neither way. Its reason is `unknown_type`, its detail begins with `not needed`, and it is accepted from the start:
`list --status accepted` shows it. Refusals for who sent an event (`not_allowed`, `bad_signature`, `over_limit`) do not
count for it either: no sender can stop a lane by being refused.

`python -m scripts.dead_letters list` and `show` look; `replay` sends events again that can be applied now; `accept`
marks those that nobody will mend. The last two only say what they would do until told to do it."""


def dead_letters_page() -> str:
    """Return `docs/dead-letters.md`."""
    rows = [(code(reason.value), EXPLANATIONS[reason], WHAT_TO_DO[reason]) for reason in Reason]
    return page("Dead letters", INTRODUCTION, table(("reason", "what it means", "what to do"), rows))
