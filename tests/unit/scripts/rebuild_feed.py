"""Random events for all agents, as senders send them: under right and wrong keys, twice, late, and junk."""

import random
from typing import NamedTuple

from vigia.events.ai_decisions import AIDecision
from vigia.events.base import Event
from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.events.feedback import AttributionCorrected, DecisionFeedback, IncidentOpened, IncidentResolved, Outcome
from vigia.events.remediation import ExecutionResult, Verdict
from vigia.events.samples import Sample
from vigia.streaming.intake import encoded

SERVICES = ("checkout", "payments-api", "catalogue-search", "nobody-knows", "host")


def _owner(chance: random.Random, number: int) -> tuple[str, str]:
    """Return the service of a deployment or incident, and a scope: who tells of it need not agree on that."""
    return SERVICES[number % 5], chance.choice(["", "payments", "search"])


class Sending(NamedTuple):
    """A record as its sender would hand it to Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None


class Feed:
    """Draws from `chance`; remembers what it has sent, to send some of it again."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._sent: list[Sending] = []

    def draw(self, now: float) -> Sending:
        """Return the next record; `now` is Kafka's time in epoch seconds."""
        chance = self._chance
        if self._sent and chance.random() < 0.07:
            return chance.choice(self._sent)
        if chance.random() < 0.03:
            topic = chance.choice(["deployments", "feedback", "metrics", "ai-decisions", "verdicts"])
            return Sending(topic, b"checkout", chance.choice([b"{", None, b"", b"\xff\xfe", b"[[[", b'{"type":"x"}']))
        make = chance.choice([self._sample] * 6 + [self._deployment] * 3 + [self._feedback] * 3 + [self._other] * 2)
        topic, key, events = make(now)
        value = encoded(events[0]) if len(events) == 1 else b"[" + b",".join(map(encoded, events)) + b"]"
        if chance.random() < 0.08:
            key = chance.choice(["", "checkout", "wrong"])
        sending = Sending(topic, key.encode() or None, value)
        self._sent.append(sending)
        return sending

    def _sample(self, now: float) -> tuple[str, str, list[Event]]:
        chance = self._chance
        service = chance.choice(SERVICES)
        at = now - chance.choice([0.0, 1.5, 3.0, 20.0, 200.0, 90_000.0]) + chance.choice([0.0, 0.0, 400.0])
        metric = chance.choice(["error_rate", "error_rate", "latency"])
        labels = chance.choice([None, {"zone": "a", "host": "1"}, {"host": "1", "zone": "a"}])

        def value() -> float:
            return chance.choice([0.0, -0.0, 0.01, 0.3, 0.9]) if metric == "error_rate" else chance.gauss(0.0, 1e3)

        if chance.random() < 0.5:
            single = Sample(service=service, metric=metric, ts=at, value=value(), labels=labels)
            return "metrics", service, [single]
        points = [(at - chance.random() * 90, value()) for _ in range(chance.randint(1, 300))]
        return "metrics", service, [Sample(service=service, metric=metric, points=points, labels=labels)]

    def _deployment(self, now: float) -> tuple[str, str, list[Event]]:
        chance = self._chance
        number = chance.randint(1, 40)
        service, scope = _owner(chance, number)
        stage, status = chance.choice([("planned", ""), ("started", ""), ("finished", "succeeded")])
        features = ChangeFeatures(la=chance.choice([0.0, 7.0, 1e4]), nf=float(chance.randint(1, 9)), age=0.1)
        deployment = Deployment(
            source="ci",
            external_id=str(number),
            service=service,
            scope=scope,
            stage=stage,  # type: ignore[arg-type] # drawn from its values
            status=status,  # type: ignore[arg-type]
            at=now - chance.random() * 100,
            commits=[Commit(sha="a1", committed_at=now - 5e4, features=chance.choice([None, features]))],
            features=chance.choice([None, features]),
        )
        return "deployments", scope or "payments", [deployment]

    def _feedback(self, now: float) -> tuple[str, str, list[Event]]:
        chance = self._chance
        number = chance.randint(1, 40)
        service, scope = _owner(chance, number)
        at = now - chance.random() * 1000
        about = {"source": "ci", "external_id": str(number), "scope": scope, "service": service, "at": at}
        label = chance.choice(["intervention", "ci_status", "defect"])
        made: list[Event] = [
            Outcome(**about, failed=chance.random() < 0.3, label=label),  # type: ignore[arg-type]
            Outcome(**about, failed=chance.random() < 0.3, label="intervention"),  # type: ignore[arg-type]
            IncidentOpened(**about, title="It is down ☠", deployments=[("ci", str(number))]),  # type: ignore[arg-type]
            IncidentResolved(**about),  # type: ignore[arg-type]
            AttributionCorrected(**about, by="ada"),  # type: ignore[arg-type]
            DecisionFeedback(
                at=at,
                agent="bot",
                decision_id=str(number),
                judgement=chance.choice(["correct", "incorrect", "partly"]),
                judge=chance.choice(["person", "outcome"]),
            ),
        ]
        return "feedback", scope or "payments", [chance.choice(made)]

    def _other(self, now: float) -> tuple[str, str, list[Event]]:
        chance = self._chance
        if chance.random() < 0.4:
            agent = chance.choice(["bot", "vigia.risk", "reviewer"])
            decisions: list[Event] = [
                AIDecision(
                    agent=agent,
                    decision_id=str(chance.randint(1, 30)),
                    decision_type="risk",
                    decision="ok",
                    at=now - chance.choice([0.0, 90_000.0]),
                    confidence=chance.choice([None, chance.random()]),
                    execution_time=chance.choice([None, chance.random() * 1e4]),
                )
                for _ in range(chance.randint(1, 3))
            ]
            return "ai-decisions", agent, decisions
        if chance.random() < 0.5:
            result = ExecutionResult(execution_id=str(chance.random()), service="checkout", status="succeeded", at=now)
            return "execution-results", "checkout", [result]
        verdict = Verdict(
            proposal_id=str(chance.randint(1, 5)),
            proposal_version=1,
            service="checkout",
            decision=chance.choice(["approve", "deny"]),
            by="ada",
            at=now,
        )
        return "verdicts", "checkout", [verdict]
