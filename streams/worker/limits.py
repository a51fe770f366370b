"""Bounds a worker: limits in one place, passed down from its settings."""

from __future__ import annotations

from dataclasses import dataclass

from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits

__all__ = ["WORKER_LIMITS", "WorkerLimits"]


@dataclass(frozen=True)
class WorkerLimits:
    """Bounds of what a worker reads, holds and waits for; the unit is in each name."""

    kafka: KafkaLimits = KAFKA_LIMITS
    """Of its connections to Kafka and to a schema registry."""

    # Reading
    fetch_bytes_max: int = 1024 * 1024
    """Of one partition at a time: some thousand events; a single larger one still comes through.

    More lets one topic run far ahead of the others, and hops without their messages cost much more.
    """
    metadata_seconds_max: int = 10
    """Until a partition that was added, or a topic's new leader, is known."""
    retry_seconds: float = 0.5
    """Between two tries to learn where to read on, while a broker restarts."""
    position_seconds_max: float = 5.0
    """For the consumer to say how far it has read."""

    # Decoding and group commit
    decoder_process_events_min: int = 4_000
    """Fewer are decoded here before they would be in the decoder's process and back."""
    group_events_max: int = 200_000
    """Of one transaction, which must hold this and the next..."""
    group_bytes_max: int = 64 * 1024 * 1024
    """...since an event that moves many records is one event, but weighs more."""
    queued_events_max: int = 400_000
    """Backpressure: with so many queued, reading waits."""
    prefetch_events_min: int = 100_000
    """Prefetch: so much is worth decoding while a transaction still runs."""
    fetch_gap_seconds: float = 0.01
    """Within so long, further lists of the same fetch come, of other topics too.

    One topic read ahead of the others costs far more: hops wait in the store for their messages.
    """

    # Sending
    produced_batch_bytes_max: int = 512 * 1024
    """Of dead letters and flags: the broker's own default for a topic is 1 MiB a batch."""
    published_flags_max: int = 25_000
    """Changes of flags in memory, encoded, sent and noted together; some 3 KiB each."""
    request_seconds_max: float = 30.0
    """For the broker to answer."""

    # Metrics
    ready_lag_seconds_max: float = 60.0
    """Further behind, /readyz says that it is not ready."""
    look_seconds: float = 1.0
    """Between two looks at how far it is behind."""

    # The log
    report_seconds: float = 60.0
    """Between two lines on what was recorded."""

    # The consumer group
    session_seconds_max: float = 10.0
    """A worker that was killed counts as gone after so long; the next one waits for it."""
    heartbeat_seconds: float = 2.0
    """Between two signs of life."""
    commit_interval_seconds: float = 1.0
    """Between two commits to Kafka, which are only advice."""
    transaction_seconds_max: float = 3600.0
    """One can take long, where a late declaration touches much of the history."""
    silent_seconds_max: float = 7 * 24 * 3600.0
    """Faust reports a partition as stuck after so long without an event; ours are often quiet."""

    # Ends
    quiet_seconds_min: float = 2.0
    """After so long, what was fetched is with the group committer."""
    stalled_seconds_max: float = 60.0
    """`once` gives up where nothing comes for so long though there is more."""
    shutdown_seconds_max: float = 8.0
    """Then the process ends by force: nothing is lost by it."""
    failed_shutdown_seconds_max: float = 4.0
    """After a failure there is less to wait for: what is not recorded is read again."""

    # The log
    log_repeat_seconds: float = 60.0
    """Libraries say the same of a broker that is away many times a second."""
    log_texts_max: int = 1_000
    """Texts that are remembered; some libraries put their values into them."""


WORKER_LIMITS = WorkerLimits()
