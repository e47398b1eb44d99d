"""What happened in a world, in order: for people to read, and to tell whether two runs were the same."""

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b


class Trace:
    """Lines of (virtual seconds, who, what); `counts` says how often each kind of thing happened."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lines: list[tuple[float, str, str, tuple[object, ...]]] = []
        self.counts: Counter[str] = Counter()
        self._closed = False

    def close(self) -> None:
        """What comes now is only tidied away."""
        self._closed = True

    def add(self, who: str, what: str, *details: object) -> None:
        """Note that something happened; put into words only when somebody reads it."""
        if not self._closed:
            self._lines.append((self._now(), who, what, details))

    def fault(self, who: str, what: str, *details: object) -> None:
        """Note a fault."""
        if not self._closed:
            self.counts[what] += 1
            self._lines.append((self._now(), who, f"** {what}", details))

    def lines(self) -> Iterator[str]:
        """Every line, readable."""
        for at, who, what, details in self._lines:
            yield f"{at:10.4f}  {who:<9} {what} {' '.join(map(str, details))}".rstrip()

    def digest(self) -> str:
        """Equal for equal runs."""
        digest = blake2b(digest_size=16)
        for line in self.lines():
            digest.update(line.encode())
            digest.update(b"\n")
        return digest.hexdigest()
