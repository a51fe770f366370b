"""Makes sure of topics, store and schemas before a worker reads."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from streams.errors import TopicError
from streams.kafka.admin import admin_client
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KafkaLimits
from streams.kafka.registry.client import registry_at
from streams.kafka.registry.schema_check import check_schema_ids
from streams.kafka.topics.marks import check_marks
from streams.kafka.topics.retention import Retention, retention_of
from streams.kafka.topics.topics import (
    DEAD_LETTER_TOPIC,
    INPUT_TOPICS,
    TopicsState,
    create_topics,
    stable_end_offsets,
    topics_state,
)
from streams.kafka.topics.watch import check_positions
from streams.worker.configuration.settings import Settings
from streams.worker.pipeline.group_commit import GroupCommitter
from streams.worker.start.group import wait_for_empty_group

__all__ = ["Preparation"]

logger = logging.getLogger(__name__)


class Preparation:
    """The topics as they are when a worker starts.

    ends: the offset after the last stable record, by topic and partition. compacted: the topics
    from which Kafka takes records that newer ones replace.
    """

    def __init__(self, settings: Settings, committer: GroupCommitter) -> None:
        self._settings = settings
        self._committer = committer
        self.ends: dict[tuple[str, int], int] = {}
        self.compacted: list[str] = []

    async def prepare(self) -> TopicsState:
        """Make the topics, open the store, and hold one against the other; return the topics.

        Raises BrokerUnavailableError, TopicError, LostEvidenceError where the store was read from
        other topics, SchemaIdError where the registry has other schemas, RegistryError, and what
        `lineage.open` raises.
        """
        settings, committer = self._settings, self._committer
        kafka, limits = settings.connection, settings.limits.kafka
        # Before anything is made: neither a database nor topics, where there is no broker, or
        # another one than the database was read from.
        state = await asyncio.to_thread(_state, kafka, limits)
        await wait_for_empty_group(settings)
        await committer.open()
        check_positions(settings.db, committer.positions, committer.identities, state)
        factor = settings.replication_factor
        await asyncio.to_thread(partial(create_topics, kafka, None, factor, limits))
        state = await asyncio.to_thread(_state, kafka, limits)
        check_positions(settings.db, committer.positions, committer.identities, state)
        # Where the broker lost its tail while no worker saw it, and was written to since.
        await asyncio.to_thread(check_marks, kafka, settings.db, committer.marks, limits)
        await committer.identify(state.identities)
        found = await asyncio.to_thread(_retention, kafka, limits)
        self.compacted = [one.topic for one in found if one.compacts]
        self.ends = await asyncio.to_thread(
            stable_end_offsets, kafka, kafka.topics(INPUT_TOPICS), limits
        )
        starts = {at: committer.positions.get(at, 0) for at in state.ends}
        registry = registry_at(settings.registry_url, limits)
        await asyncio.to_thread(check_schema_ids, kafka, registry, starts, limits)
        return state


def _retention(kafka: KafkaConnection, limits: KafkaLimits) -> list[Retention]:
    """Return how the topics are kept; warn of settings by which Kafka deletes evidence."""
    topics = kafka.topics((*INPUT_TOPICS, DEAD_LETTER_TOPIC))
    try:
        with admin_client(kafka, limits) as admin:
            found = retention_of(admin, topics)
    except TopicError as error:  # not every user may ask for them
        logger.warning("whether Kafka deletes evidence is not known: %s", error)
        return []
    for retention in found:
        if retention.deletes:
            logger.warning("%s", retention)
    return found


def _state(kafka: KafkaConnection, limits: KafkaLimits) -> TopicsState:
    with admin_client(kafka, limits) as admin:
        return topics_state(admin, kafka.topics(INPUT_TOPICS))
