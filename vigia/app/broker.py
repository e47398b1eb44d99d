"""Connections to Kafka for Faust and aiokafka, from the settings; and who the broker is."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from faust.types.auth import CredentialsT

from vigia.settings import KafkaSettings
from vigia.stores.errors import Transient
from vigia.streaming.ownership import Cluster

NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""Kafka's way to write the id 0."""


async def identify(kafka: KafkaSettings, within: float) -> Cluster:
    """Return which cluster answers, by the id in the settings if there is one.

    Raises Transient when none does `within` so many seconds.
    """
    try:
        metadata = await asyncio.to_thread(_metadata, kafka, within)
    except KafkaException as error:
        raise Transient(f"no Kafka broker at {kafka.bootstrap} answers: {error.args[0].str()}") from error
    return Cluster(kafka.cluster_id or metadata.cluster_id, ephemeral=kafka.ephemeral)


async def topic_ids(kafka: KafkaSettings, names: Sequence[str]) -> dict[str, str]:
    """Return the ids that the broker has given to these topics; none for those that are gone meanwhile.

    A topic that is deleted and created anew has another id. The embedded broker gives none. Raises Transient.
    """
    if kafka.ephemeral or not names:
        return {}
    try:
        return await asyncio.to_thread(_topic_ids, kafka, names)
    except KafkaException as error:
        raise Transient(f"the ids of topics cannot be had from {kafka.bootstrap}: {error.args[0].str()}") from error


def _topic_ids(kafka: KafkaSettings, names: Sequence[str]) -> dict[str, str]:
    client = AdminClient({**kafka.confluent_config(), "log_level": 0})
    asked = client.describe_topics(TopicCollection(list(names)), request_timeout=kafka.request_timeout)
    found = {}
    for name, answer in asked.items():
        try:
            found[name] = str(answer.result().topic_id)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    # a broker older than the ids says zero
    return {name: topic_id for name, topic_id in found.items() if topic_id != NO_ID}


def _metadata(kafka: KafkaSettings, within: float) -> Any:
    config = {**kafka.confluent_config(), "log_level": 0}
    return AdminClient(config).list_topics(timeout=within)


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """Return Faust's credentials, or None for a plain connection."""
    context = _ssl_context(kafka)
    if kafka.uses_sasl:
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None


def producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """Return the producer for outputs: idempotent, acknowledged by all in-sync replicas."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        request_timeout_ms=int(kafka.request_timeout * 1000),
        security_protocol=kafka.security_protocol,
        ssl_context=_ssl_context(kafka),
        sasl_mechanism=kafka.sasl_mechanism if kafka.uses_sasl else "PLAIN",
        sasl_plain_username=kafka.sasl_username or None,
        sasl_plain_password=kafka.sasl_password.reveal() or None,
    )


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    if not kafka.uses_tls:
        return None
    context = ssl.create_default_context(cafile=kafka.ssl_cafile or None)
    if kafka.ssl_certfile:
        context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile or None, kafka.ssl_keypassword.reveal() or None)
    return context
