"""Finds topics from which Kafka may delete evidence before or after it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import TopicError

__all__ = ["Retention", "retention_of"]

_NEVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


class Retention:
    """What Kafka may delete from a topic by its settings."""

    def __init__(self, topic: str, settings: Mapping[str, str]) -> None:
        self.topic = topic
        policies = {policy.strip() for policy in settings["cleanup.policy"].split(",")}
        self.compacts = "compact" in policies
        self._wrong = {
            name: value
            for name, value in settings.items()
            if (name == "cleanup.policy" and self.compacts)
            or (name != "cleanup.policy" and "delete" in policies and int(value) >= 0)
        }

    @property
    def deletes(self) -> bool:
        """Say if anything may be deleted."""
        return bool(self._wrong)

    def __str__(self) -> str:
        wrong = ", ".join(f"{name}={value}" for name, value in self._wrong.items())
        right = ", ".join(f"{name}={_NEVER[name]}" for name in self._wrong)
        return f"the topic {self.topic} has {wrong}, by which Kafka deletes evidence; set {right}"


def retention_of(admin: KafkaAdminClient, topics: Collection[str]) -> list[Retention]:
    """Return what may be deleted from topics that exist. Raises TopicError."""
    names = dict.fromkeys(_NEVER)
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic, names) for topic in topics]
    try:
        described = admin.describe_configs(asked, config_filter="all")
    except KafkaError as error:
        raise TopicError(
            f"the broker does not tell the settings of its topics: {type(error).__name__}"
        ) from error
    found = described.get("topic", described)
    return [
        Retention(topic, {name: str(found[topic][name]["value"]) for name in _NEVER})
        for topic in topics
        if topic in found
    ]
