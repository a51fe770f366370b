"""Bounds the connections to Kafka and to a schema registry: limits in one place, passed down."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KAFKA_LIMITS", "KafkaLimits"]


@dataclass(frozen=True)
class KafkaLimits:
    """Bounds of what one process asks of Kafka; the unit is the last word before `_max` or `_min`.

    Sizes that producers and topics agree on are no limits of this kind: they are in `topics`.
    """

    # Connections
    connect_seconds_max: float = 8.0
    """How long a broker may take to answer before it counts as not there."""

    access_seconds_max: float = 2.0
    """For the first look at how a broker lets clients in."""

    # Fetches of the transport: a fetch costs as much as thousands of records, here and there.
    fetch_bytes_min: int = 256 * 1024
    """The broker answers a fetch when so many bytes are there, of all partitions together..."""
    fetch_wait_milliseconds_max: int = 25
    """...or after so long."""

    # What is in a fetch: a broker looks at batches as they are packed.
    unpacked_bytes_max: int = 256 * 1024 * 1024
    """Of one batch; what unpacks to more becomes a dead letter."""
    batch_records_max: int = 500_000
    """In one batch: some 300 bytes of memory each, however small they are."""
    fetched_bytes_max: int = 64 * 1024 * 1024
    """Unpacked, of one partition: where batches came to more, those after them come later..."""
    fetched_records_max: int = 200_000
    """...as after so many records."""

    # The watch over the topics
    watch_interval_seconds: float = 2.0
    """Between two looks at the topics."""
    watch_answer_seconds_max: float = 5.0
    """For one request of a look."""
    marks_seconds_max: float = 5.0
    """To read again what was recorded last, when a broker is back."""
    away_interval_seconds_max: float = 8.0
    """Between two looks at a broker that is away: each is twice as long after the one before."""
    broker_away_seconds_max: float = 30.0
    """How long `once` waits for a broker; one that restarts is back sooner."""
    refused_seconds_max: float = 30.0
    """How long a broker may refuse a client that it has let in before: it may be starting."""

    # Publishing
    unacked_records_max: int = 50_000
    """Backpressure: the client keeps what it has not sent yet in memory without a bound."""
    delivery_seconds_max: int = 30
    """For one record, until the broker has acknowledged it."""
    progress_records: int = 1_000
    """Between two reports of progress."""

    # The replay of dead letters
    replayed_records_max: int = 5_000
    """Decoded, sent and acknowledged together..."""
    replayed_bytes_max: int = 16 * 1024 * 1024
    """...or so many bytes of them."""

    # The check of schema ids at a start
    schema_check_seconds_max: float = 5.0
    """For one look at all topics."""
    sampled_records_max: int = 20
    """In one place of a partition..."""
    sampled_bytes_max: int = 1024 * 1024
    """...or so many bytes of values."""
    sample_fetch_bytes_max: int = 256 * 1024
    """Of one partition at a time; a larger value still comes through."""
    few_records_max: int = 1_000
    """Where a topic has no more to be read than this, a few stray records can be all of it."""
    schema_ids_max: int = 100
    """More different ids than this are a producer's mistake, and no other registry."""

    # The schema registry
    registry_step_seconds_max: float = 10.0
    """For each step of an answer."""
    registry_answer_bytes_max: int = 16 << 20
    """A larger answer is no schema."""
    references_max: int = 100
    """Other schemas that one may refer to, directly or not."""
    unknown_id_seconds: float = 1.0
    """How long an id that is not registered is not asked for again.

    A producer registers a schema before it writes with it, so good values of that time would become
    dead letters: no longer than it takes to end a flood of requests.
    """
    unknown_ids_max: int = 100_000
    """Ids that are not registered and are remembered."""


KAFKA_LIMITS = KafkaLimits()
