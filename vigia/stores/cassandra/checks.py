"""What weakens the raw log's durability, told at every start: replication, commit log, consistency of writes."""

from cassandra import Unauthorized

from vigia.stores.cassandra.migrating import applied_version, migrations
from vigia.stores.cassandra.session import CassandraSession
from vigia.stores.errors import NoSchema, Unusable

SAFE_REPLICAS = 3
_SAFE_SYNC = {"group", "batch"}
_SAFE_CONSISTENCY = {"LOCAL_QUORUM", "QUORUM", "EACH_QUORUM", "ALL"}


def check(session: CassandraSession) -> list[str]:
    """Return warnings; raises NoSchema when the schema is older than this release."""
    keyspace = session.address.keyspace
    newest = migrations()[-1].version
    version = applied_version(session)
    if version < newest:
        raise NoSchema(f"{session.address.text} has schema {version}, this release needs {newest}: run the migration")
    warnings = _keyspace_warnings(session, keyspace) + _commit_log_warnings(session)
    if session.address.consistency not in _SAFE_CONSISTENCY:
        warnings.append(
            f"writes wait for {session.address.consistency} only: acknowledged events can be lost with a node"
        )
    return warnings


def _keyspace_warnings(session: CassandraSession, keyspace: str) -> list[str]:
    cql = "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?"
    (row,) = session.rows(session.bind(cql, (keyspace,)))
    replicas = [int(count) for name, count in row.replication.items() if name != "class"]
    warnings = []
    if min(replicas, default=1) < SAFE_REPLICAS:
        warnings.append(f"the keyspace {keyspace} is kept on {min(replicas, default=1)} nodes, not {SAFE_REPLICAS}")
    if not row.durable_writes:
        warnings.append(f"the keyspace {keyspace} has durable_writes off: events in memory are lost with the node")
    return warnings


def _commit_log_warnings(session: CassandraSession) -> list[str]:
    cql = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'"
    try:
        value = next((row.value for row in session.rows(session.bind(cql, ()))), "unknown")
    except Unusable as error:
        if isinstance(error.__cause__, Unauthorized):
            return ["commitlog_sync could not be read: the user has no SELECT on system_views"]
        raise
    if value in _SAFE_SYNC:
        return []
    return [f"commitlog_sync is {value}: a node acknowledges events up to 10 s before they are on its disk"]
