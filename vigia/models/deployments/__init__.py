"""The model of the deployments agent: deployments are scored, outcomes learned, incidents recorded."""

from vigia.models.deployments.model import DeploymentsModel

__all__ = ["DeploymentsModel"]
