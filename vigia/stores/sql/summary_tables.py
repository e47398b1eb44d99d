"""One table for each summary Struct, its columns made from the Struct's fields.

Strings are names of up to 200 characters, but for those listed below; `series_id` is kept as 16 bytes since windows, by
far the most rows, carry it.
"""

from types import NoneType, UnionType
from typing import Any, get_args

import msgspec
from sqlalchemy import Column, Computed, Index, Table, func
from sqlalchemy.types import TypeEngine

from vigia.events import summaries
from vigia.events.summaries import SUMMARIES, Summary
from vigia.stores.sql import types
from vigia.stores.sql.building import column, table
from vigia.stores.sql.tables import metadata

_NAMES: dict[type[Summary], str] = {
    summaries.SeriesSummary: "series",
    summaries.WindowSummary: "windows",
    summaries.HourSummary: "hours",
    summaries.DaySummary: "days",
    summaries.KeptSummary: "kept",
    summaries.DeploymentSummary: "deployments",
    summaries.IncidentSummary: "incidents",
    summaries.ProblemSummary: "problems",
    summaries.ProblemGroupSummary: "problem_groups",
    summaries.MuteSummary: "mutes",
    summaries.ProposalSummary: "proposals",
    summaries.AIDecisionSummary: "ai_decisions",
    summaries.AIDecisionTally: "ai_decision_tallies",
    summaries.AIDecisionTimes: "ai_decision_times",
    summaries.VerdictSummary: "verdicts",
    summaries.DeliverySummary: "deliveries",
    summaries.DeliveredCommitSummary: "delivered_commits",
    summaries.AttributionSummary: "attributions",
    summaries.SenderSurplusSummary: "sender_surpluses",
    summaries.ContradictionSummary: "contradictions",
}

_FREE_TEXT = {"why", "title", "reason", "labels", "carriers", "detectors", "after"}
"""Fields that may be longer than a name."""

_SHORT = {"excluded": 32}
"""Words of ours, and their greatest length: an index over them and names must fit."""

_BY_TYPE: dict[type, Any] = {str: types.name, int: types.integer, float: types.real, bytes: types.body}


def _latest_at() -> Column[Any]:
    """The time of a deployment's latest stage, computed by the database: what "recent" means, with an index."""
    stages: list[Column[Any]] = [Column(stage, quote=True) for stage in ("finished_at", "started_at", "planned_at")]
    return Column("latest_at", types.real(), Computed(func.coalesce(*stages), persisted=False), quote=True)


_EXTRAS: dict[type[Summary], list[Any]] = {
    summaries.SeriesSummary: [Index("series_by_name", "service", "environment", "metric")],
    summaries.DeploymentSummary: [
        _latest_at(),
        Index("deployments_by_time", "latest_at", "deployment_id"),
        Index("deployments_of_service", "service", "latest_at", "deployment_id"),
    ],
    summaries.ProblemSummary: [
        Index("problems_by_status", "status", "opened_at", "problem_id"),
        Index("problems_by_service", "service", "opened_at", "problem_id"),
    ],
    summaries.ProblemGroupSummary: [Index("problem_groups_by_group", "part_of", "problem_id")],
    summaries.MuteSummary: [Index("mutes_by_end", "until", "service", "mute_id")],
    summaries.IncidentSummary: [
        Index("incidents_by_time", "opened_at", "environment"),
        Index("incidents_by_scope", "scope", "opened_at"),
        Index("incidents_by_service", "service", "opened_at"),
    ],
    summaries.DeliverySummary: [
        Index("deliveries_by_time", "day", "environment", "excluded", "intervention", "listed", "at"),
        Index("deliveries_by_scope", "scope", "day", "environment", "excluded", "intervention", "listed", "at"),
        Index("deliveries_by_service", "service", "day", "environment", "excluded", "intervention", "listed", "at"),
        Index("deliveries_first", "service", "environment", "excluded", "at"),
        Index(
            "deliveries_before",
            "scope",
            "service",
            "environment",
            "exposed_day",
            "exposed_at",
            "at",
            "excluded",
            "intervention",
        ),
    ],
    summaries.DeliveredCommitSummary: [
        Index("commits_by_time", "environment", "delivered_at", "lead_class", "lead_time", "service", "scope"),
        Index("commits_by_scope", "scope", "environment", "delivered_at", "lead_class", "lead_time", "service"),
        Index("commits_by_service", "service", "environment", "delivered_at", "lead_class", "lead_time"),
        Index("commits_by_class", "environment", "lead_class", "delivered_at", "lead_time", "service", "scope"),
    ],
    summaries.AttributionSummary: [
        Index("attributions_by_time", "kind", "at"),
        Index("attributions_by_incident", "incident_id", "scope", "kind"),
    ],
    summaries.ContradictionSummary: [Index("contradictions_by_time", "told_at", "sender", "contradiction_id")],
    summaries.AIDecisionTally: [Index("tallies_by_agent", "agent", "start")],
    summaries.AIDecisionTimes: [Index("times_by_agent", "agent", "start")],
    summaries.ProposalSummary: [
        Index("proposals_by_status", "status", "at", "proposal_id"),
        Index("proposals_by_problem", "problem_id"),
    ],
}
"""What a table has beyond the Struct: indexes for `vigia/stores/queries/`."""


def _column(struct: type[Summary], field: msgspec.structs.FieldInfo) -> Column[Any]:
    kinds = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
    (kind,) = [kind for kind in kinds if kind is not NoneType]
    null = NoneType in kinds
    return column(field.name, _type(field.name, kind), key=field.name in struct.primary_key, null=null)


def _type(name: str, kind: type) -> TypeEngine[Any]:
    if name == "series_id":
        return types.HexId()
    if name in _FREE_TEXT:
        return types.text()
    if name in _SHORT:
        return types.name(_SHORT[name])
    made: TypeEngine[Any] = _BY_TYPE[kind]()
    return made


def _table(struct: type[Summary]) -> Table:
    columns = [_column(struct, field) for field in msgspec.structs.fields(struct)]
    return table(metadata, _NAMES[struct], *columns, *_EXTRAS.get(struct, []))


TABLES: dict[type[Summary], Table] = {struct: _table(struct) for struct in SUMMARIES}
"""The table of each summary Struct."""
