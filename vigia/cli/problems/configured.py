"""The mutes of the detectors' file, in the form of those that people send."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from vigia.events.summaries import MuteSummary
from vigia.models.detectors.matching import labels_in_words
from vigia.models.detectors.mutes import Mute


def configured_mutes(mutes: Iterable[Mute], service: str | None, now: float) -> list[MuteSummary]:
    """Return those that hold at `now` (epoch seconds) for a service, or for any; they have no `mute_id`."""
    return [
        MuteSummary(
            service=each.service,
            mute_id="",
            environment=each.environment,
            metric=each.metric,
            labels=labels_in_words(each.labels),
            detectors=",".join(each.detectors),
            since=each.since.timestamp(),
            until=each.until.timestamp(),
            by=each.author,
            reason=each.reason,
            lifted_by="",
        )
        for each in mutes
        if (service is None or fnmatchcase(service, each.service))
        and each.since.timestamp() <= now < each.until.timestamp()
    ]
