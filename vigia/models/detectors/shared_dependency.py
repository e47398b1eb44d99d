"""When problems of several services are taken for one: the limits, which `vigia.models.remediation.shared` goes by."""

import msgspec

NAME = "shared_dependency"


class SharedDependency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Services that depend on one thing get problems within so many seconds: that thing has the problem.

    It opens when `least` of them have, and `share` of those that the catalog names, or `least_with_own` when a problem
    of the thing itself opened then. It resolves when fewer than `close_below` still have theirs.
    """

    enabled: bool = True
    within: float = 600.0
    least: int = 3
    share: float = 0.5
    least_with_own: int = 2
    close_below: int = 2

    def __post_init__(self) -> None:
        # what one service has is shared by nobody
        if not 1 <= self.close_below <= self.least_with_own <= self.least or self.least == 1:
            raise ValueError(
                f"close_below {self.close_below}, least_with_own {self.least_with_own}, least {self.least}: "
                "1 <= close_below <= least_with_own <= least, and least above 1, must hold"
            )
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}: it must be in [0, 1]")
        if not self.within > 0:
            raise ValueError(f"within is {self.within}: it must be above 0")
