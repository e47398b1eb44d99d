"""What any detector remembers of a series: a union of Structs tagged with their detector's name."""

from vigia.models.detectors.database_slow_queries import SlowQueriesState
from vigia.models.detectors.disk_space_low import DiskState
from vigia.models.detectors.high_error_rate import HighErrorRateState
from vigia.models.detectors.memory_leak import MemoryState
from vigia.models.detectors.unusual_values import UnusualState

DetectorState = HighErrorRateState | DiskState | MemoryState | SlowQueriesState | UnusualState
