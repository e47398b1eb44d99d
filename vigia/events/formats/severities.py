"""Words that tools have for how bad something is, and what they are here."""

from vigia.events.feedback import Severity

_WORDS: dict[Severity, str] = {
    "P0": "p0 sev0 s0 emergency disaster fatal blocker",
    "P1": "p1 sev1 s1 critical page high urgent",
    "P2": "p2 sev2 s2 error major medium warning warn",
    "P3": "p3 p4 p5 sev3 sev4 s3 s4 minor low info informational notice notify",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}


def severity_of(word: object) -> Severity:
    """Return the severity that a tool's word means, in any case; P2 for a word that is not known or missing."""
    return _SEVERITIES.get(word.strip().lower(), "P2") if isinstance(word, str) else "P2"
