"""The topics: created once, kept for ever, left alone where they exist."""

from __future__ import annotations

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from streams.kafka.admin import admin_client
from streams.kafka.topics.topics import (
    INPUT_TOPICS,
    MESSAGE_BYTES_MAX,
    TOPICS,
    Topic,
    create_topics,
    earliest_offsets,
    end_offsets,
    topic_partitions,
)

pytestmark = pytest.mark.kafka


def test_the_names_are_those_of_the_contract() -> None:
    assert set(TOPICS) == {
        "messaging.message.sent.v1",
        "messaging.consent.changed.v1",
        "lineage.records.moved.v1",
        "lineage.dataset.declared.v1",
        "lineage.policy.published.v1",
        "lineage.flag.raised.v1",
        "lineage.dead-letter.v1",
    }
    assert set(TOPICS) - set(INPUT_TOPICS) == {"lineage.flag.raised.v1", "lineage.dead-letter.v1"}


def test_all_are_created_with_the_partitions_asked_for(no_topics: str) -> None:
    made = create_topics(no_topics, 3)
    assert made == tuple(Topic(name, 3, created=True) for name in TOPICS)
    assert topic_partitions(no_topics, TOPICS) == dict.fromkeys(TOPICS, 3)


def test_nothing_in_them_expires(topics: str) -> None:
    with admin_client(topics) as admin:
        described = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS]
        )
    settings = described.get("topic", described)
    assert set(settings) == set(TOPICS)
    for name in TOPICS:
        assert settings[name]["retention.ms"]["value"] == "-1"
        assert settings[name]["max.message.bytes"]["value"] == str(MESSAGE_BYTES_MAX)


def test_one_that_exists_is_left_as_it_is(no_topics: str) -> None:
    with admin_client(no_topics) as admin:
        admin.create_topics(
            {TOPICS[0]: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True
        )
    made = {topic.name: topic for topic in create_topics(no_topics, 5)}
    assert made[TOPICS[0]] == Topic(TOPICS[0], 2, created=False)
    assert made[TOPICS[1]] == Topic(TOPICS[1], 5, created=True)


def test_how_far_they_reach(topics: str) -> None:
    every = {(name, partition): 0 for name in INPUT_TOPICS for partition in range(4)}
    assert earliest_offsets(topics, INPUT_TOPICS) == every
    assert end_offsets(topics, INPUT_TOPICS) == every
    assert end_offsets(topics, ["no.such.topic"]) == {}
