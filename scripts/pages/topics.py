"""`docs/topics.md`, from the topic rows."""

from collections.abc import Iterable

from scripts.acls import AGENT_SUFFIX, WORKER
from scripts.pages.markdown import anchor, code, page, table
from vigia.events.topic import DAY, Topic
from vigia.streaming.topic_admin import MAX_MESSAGE_BYTES
from vigia.topics import PRINCIPALS, TOPICS

INTRODUCTION = f"""\
Each topic is a row in `vigia/topics.py`. Keys are hashed as Java clients do (murmur2); a record under another key
than its own, or in another partition, is sent again once under the right one. Topics that one agent reads together
have the same number of partitions. Records are at most {MAX_MESSAGE_BYTES // 1024} KiB and carry the time at which
the broker took them (`LogAppendTime`) where nothing else is said: lanes take it for the time of arrival, and
retention counts from it.

`python -m scripts.topics apply` creates the topics on a real broker and reports where existing ones differ; with
`--fix` it sets their configuration, never their partitions. `check` only reports. `repartition` adds partitions
for an agent ([runbook](runbooks/repartition.md)). `acls` prints the access lists that follow from who writes and
reads, as command lines for `kafka-acls.sh`. The others take `--json`. Exit codes: 0 in order, 1 drift or refused, 75
the broker did not answer, 78 settings that cannot be used. Replicas, in-sync replicas and compression
are [settings](settings.md)."""

NAMES = f"""\
Names that end in `{AGENT_SUFFIX}` are agents, which run in the worker under one principal, `{WORKER}`; every other
name is a principal of its own. An agent also writes to the topics it reads: ticks, and records sent again under
their right key."""


def topics_page() -> str:
    """Return `docs/topics.md`."""
    overview = [
        (
            f"[{topic.name}](#{anchor(topic.name)})",
            code(topic.key),
            ", ".join(topic.written_by),
            ", ".join(topic.read_by),
            topic.purpose,
        )
        for topic in TOPICS
    ]
    parts = [INTRODUCTION, table(("topic", "key", "written by", "read by", "purpose"), overview)]
    for topic in TOPICS:
        parts += [f"## {topic.name}", topic.purpose, _details(topic)]
    parts += ["## Who writes and reads", NAMES, table(("name", "what it is"), PRINCIPALS.items())]
    return page("Topics", *parts)


def _details(topic: Topic) -> str:
    lines = [
        f"- events: {_links(topic)}",
        f"- key: the event's {code(topic.key)}",
        f"- partitions: {topic.partitions}",
        f"- retention: {_retention(topic)} ({topic.retention_reason})",
        f"- written by: {', '.join(topic.written_by)}",
        f"- read by: {', '.join(topic.read_by)}",
    ]
    if topic.compacted:
        lines.append("- compacted: the latest record of each key is kept")
    if topic.timestamps != "LogAppendTime":
        lines.append(f"- timestamps: {topic.timestamps}")
    return "\n".join(lines)


def _links(topic: Topic) -> str:
    names: Iterable[str] = (kind.__name__ for kind in topic.types)
    return ", ".join(f"[{name}](events.md#{anchor(name)})" for name in names) or "none defined yet; records are refused"


def _retention(topic: Topic) -> str:
    if topic.retention < 0:
        return "for ever"
    days = topic.retention // DAY
    return f"{days} day{'s' if days != 1 else ''}"
