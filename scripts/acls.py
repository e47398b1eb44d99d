"""Access lists from the topic rows: who may write and read what, as command lines for Kafka's `kafka-acls.sh`.

Printed, never run: whoever administers the cluster reads them first. Nothing here gives a right to create topics;
that is the administrator's, who runs `scripts/topics.py apply`.
"""

from collections.abc import Iterable, Sequence

from vigia.events.topic import Topic

AGENT_SUFFIX = "-agent"
WORKER = "vigia"
"""The worker's principal: all agents run in it."""


def acl_commands(
    topics: Sequence[Topic],
    *,
    bootstrap: str,
    group: str,
    prefix: str = "",
    principal_format: str = "User:{name}",
) -> list[list[str]]:
    """Return the command lines, each as a list of arguments.

    A principal reads in consumer groups whose names start with its own name; the worker's group is `group`.
    """
    writes, reads = rights(topics)
    start = ["kafka-acls.sh", "--bootstrap-server", bootstrap, "--add", "--allow-principal"]
    commands: list[list[str]] = []
    for name in sorted({*writes, *reads}):
        principal = [*start, principal_format.format(name=name)]
        if written := writes.get(name):
            commands.append([*principal, *_operations("Write", "Describe"), *_topics(written, prefix)])
        if read := reads.get(name):
            commands.append([*principal, *_operations("Read", "Describe"), *_topics(read, prefix)])
            where = ["--group", group] if name == WORKER else ["--group", name, "--resource-pattern-type", "prefixed"]
            commands.append([*principal, *_operations("Read"), *where])
        if name == WORKER:
            # it checks the durability of what it uses at start
            everything = dict.fromkeys([*writes[name], *reads[name]])
            commands.append([*principal, *_operations("DescribeConfigs"), *_topics(everything, prefix)])
    return commands


def rights(topics: Sequence[Topic]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the topics that each principal writes, and those that it reads.

    An agent writes to the topics it reads as well: ticks, and records that are sent again under their right key.
    """
    writes: dict[str, list[str]] = {}
    reads: dict[str, list[str]] = {}
    for topic in topics:
        agents = tuple(name for name in topic.read_by if name.endswith(AGENT_SUFFIX))
        for names, held in ((topic.written_by + agents, writes), (topic.read_by, reads)):
            for principal in dict.fromkeys(principal_of(name) for name in names):
                held.setdefault(principal, []).append(topic.name)
    return writes, reads


def principal_of(name: str) -> str:
    """Return the principal under which `name` speaks to the broker."""
    return WORKER if name.endswith(AGENT_SUFFIX) else name


def _operations(*names: str) -> list[str]:
    return [part for name in names for part in ("--operation", name)]


def _topics(names: Iterable[str], prefix: str) -> list[str]:
    return [part for name in names for part in ("--topic", prefix + name)]
