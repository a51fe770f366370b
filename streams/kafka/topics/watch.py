"""Watches the topics while they are read: they must still be those that were recorded.

Kafka's consumers go by names and offsets. A topic that is deleted and made anew under the same
name, or another cluster at the same address, goes on without a word, and what lies below the
recorded offset is never read. So the identity of cluster and topics is kept with the positions, and
compared at the start and every few seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from lineage.database.positions import Positions, TopicIdentity
from streams.errors import (
    AccessError,
    BrokerUnavailableError,
    KafkaSettingError,
    LostEvidenceError,
    StreamsError,
    TopicError,
)
from streams.kafka.admin import new_admin_client
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.topics.marks import Marks, check_marks
from streams.kafka.topics.topics import TOPICS, TopicsState, topics_state

__all__ = ["TopicWatch", "check_positions"]

logger = logging.getLogger(__name__)


def check_positions(
    db: str, positions: Positions, known: Mapping[str, TopicIdentity], state: TopicsState
) -> None:
    """Check that `positions` of the database `db` are of the topics that the cluster has now.

    known: the identity of the topics as the database has it. Raises LostEvidenceError.
    """
    recorded = sorted({topic for (topic, _), position in positions.items() if position})
    for topic in recorded:
        if topic not in state.identities:
            raise LostEvidenceError(
                f"{db} was read from the topic {topic}, and it is gone; give the broker and the "
                "--topic-prefix that it came from, or a new database"
            )
    _check_identities(db, recorded, known, state)
    _check_ends(db, positions, state)


def _check_identities(
    db: str, topics: Iterable[str], known: Mapping[str, TopicIdentity], state: TopicsState
) -> None:
    for topic in topics:
        found = state.identities[topic]
        ours = known.get(topic, found)
        if ours.cluster_id != found.cluster_id:
            raise LostEvidenceError(
                f"{db} was read from the Kafka cluster {ours.cluster_id}, and this is the cluster "
                f"{found.cluster_id}, whose offsets mean other records; give the broker that it "
                "came from, or a new database"
            )
        if ours.topic_id != found.topic_id:
            raise LostEvidenceError(
                f"{db} was read from the topic {topic} with the id {ours.topic_id}, and the one of "
                f"that name now has the id {found.topic_id}: it was deleted and made anew, and its "
                "offsets mean other records; read it into a new database"
            )


def _check_ends(db: str, positions: Positions, state: TopicsState) -> None:
    for (topic, partition), position in sorted(positions.items()):
        end = state.ends.get((topic, partition), 0)
        if position > end:
            raise LostEvidenceError(
                f"{db} has recorded {topic} partition {partition} up to offset {position}, but it "
                f"ends at {end}: the broker lost what came last; give the broker that the database "
                "came from, or a new database"
            )


class TopicWatch:
    """A thread that compares the topics with what was recorded, until it is stopped.

    state: the topics at the start, which are those that the database goes with. positions: gives
    what is recorded. marks: gives the last records of it. fail: called once, in the thread, with
    what makes it pointless to go on. waits: whether a broker that is away is waited for without
    a bound.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        db: str,
        state: TopicsState,
        positions: Callable[[], Positions],
        fail: Callable[[BaseException], None],
        limits: KafkaLimits = KAFKA_LIMITS,
        *,
        marks: Callable[[], Marks] = dict,
        waits: bool = True,
    ) -> None:
        self._connection = connection
        self._bootstrap = connection.bootstrap
        self._topics = connection.topics(TOPICS)
        self._db = db
        self._known = state.identities
        self._positions = positions
        self._fail = fail
        self._limits = limits
        self._stopped = threading.Event()
        self._admin: KafkaAdminClient | None = None
        self._partitions = state.partitions
        self._behind = False
        self._waits = waits
        self._marks = marks
        # As of the last look: what is recorded since may be of a broker that came back with less.
        self._marks_before: Marks = {}
        self._epochs = state.epochs
        self._interval = limits.watch_interval_seconds
        self._answered_at = time.monotonic()
        self._away_since: float | None = None
        self._refused_since: float | None = None

    @property
    def away_seconds(self) -> float | None:
        """Return for how long no broker has answered; None while one does."""
        since = self._away_since
        return None if since is None else time.monotonic() - since

    def start(self) -> None:
        """Begin to look. The thread holds up no end of the process."""
        threading.Thread(target=self._run, name="topic-watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self._interval):
                self._look()
        except Exception as error:
            if not self._stopped.is_set():
                self._fail(error)
        finally:
            self._disconnect()

    def _look(self) -> None:
        # Asked before the ends: they can only be further by then.
        positions, marks = dict(self._positions()), dict(self._marks())
        was_away = self._away_since is not None
        state = self._state()
        if state is None:
            return
        for topic in self._topics:
            if topic not in state.identities:
                raise TopicError(self._gone(topic))
        # Also where nothing is recorded yet: the readers hold on to the topic that is gone.
        _check_identities(self._db, self._known, self._known, state)
        self._check_ends(positions, state)
        if not self._has_marks(state, was_away=was_away):
            return
        self._epochs, self._marks_before = state.epochs, marks
        self._log_added_partitions(state)

    def _gone(self, topic: str) -> str:
        return f"the topic {topic} is gone from {self._bootstrap}: it was deleted; " + (
            "what was recorded is safe, and a topic made anew needs a new database"
            if topic in self._known
            else "nothing is lost, and the worker makes it anew when it is started again"
        )

    def _check_ends(self, positions: Positions, state: TopicsState) -> None:
        """Raise the error of `_check_ends` at the second look only.

        A new leader of a partition may for a moment not yet know how far it was committed.
        """
        before = self._behind
        try:
            _check_ends(self._db, positions, state)
        except LostEvidenceError:
            if before:
                raise
            self._behind = True
        else:
            self._behind = False

    def _has_marks(self, state: TopicsState, *, was_away: bool) -> bool:
        """Read again what was recorded last, where a partition has a new leader.

        Returns False where the broker is away again, and raises what `check_marks` raises else. A
        broker that starts from an older copy of its disk can have the same numbers again.
        """
        doubtful = {
            at: mark
            for at, mark in self._marks_before.items()
            if was_away or state.epochs.get(at) != self._epochs.get(at)
        }
        try:
            check_marks(self._connection, self._db, doubtful, self._limits)
        except BrokerUnavailableError as error:
            self._wait_for_broker(error)
            return False
        return True

    def _state(self) -> TopicsState | None:
        """Return what the cluster says; None where nothing answers."""
        try:
            if self._admin is None:
                self._admin = new_admin_client(
                    self._connection, self._limits, self._limits.watch_answer_seconds_max
                )
            state = topics_state(self._admin, self._topics)
        except StreamsError as error:
            self._disconnect()
            self._check_refusal(error)
            self._wait_for_broker(error)
            return None
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            logger.info("the broker at %s answers again, after %.0f s", self._bootstrap, away)
        self._answered_at, self._away_since, self._refused_since = time.monotonic(), None, None
        self._interval = self._limits.watch_interval_seconds
        return state

    def _check_refusal(self, error: StreamsError) -> None:
        """Raise an AccessError that has come again and again: such a broker is not away."""
        if not isinstance(error, AccessError):
            self._refused_since = None
            return
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if now - self._refused_since > self._limits.refused_seconds_max:
            raise error

    def _wait_for_broker(self, error: StreamsError) -> None:
        silent = time.monotonic() - self._answered_at
        bound = None if self._waits else self._limits.broker_away_seconds_max
        if bound is not None and silent > bound:
            raise BrokerUnavailableError(
                self._bootstrap, f"nothing has answered for {silent:.0f} s"
            )
        if self._away_since is None:
            self._away_since = self._answered_at
            until = "" if bound is None else f", up to {bound:.0f} s"
            what = f"no Kafka broker answers at {self._bootstrap}"
            if isinstance(error, (AccessError, KafkaSettingError)):
                what = str(error)
            logger.warning("%s; it is waited for%s", what, until)
        # Backoff: a broker that is away for long is not asked every moment.
        self._interval = min(2 * self._interval, self._limits.away_interval_seconds_max)

    def _log_added_partitions(self, state: TopicsState) -> None:
        for topic, count in state.partitions.items():
            before = self._partitions.get(topic, count)
            if count > before:
                logger.info(
                    "the topic %s has %d partitions, where it had %d; the new ones are read from "
                    "their beginning",
                    topic,
                    count,
                    before,
                )
        self._partitions = state.partitions

    def _disconnect(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError, OSError):
                admin.close()
