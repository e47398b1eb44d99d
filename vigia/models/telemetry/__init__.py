"""The model of the telemetry agent, which counts what AI agents decide and what is said of it, and what is read from
these counts: accuracy, calibration, drift.
"""

from vigia.models.telemetry.model import TelemetryModel

__all__ = ["TelemetryModel"]
