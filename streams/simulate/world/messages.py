"""Simulates ordinary messages: who wrote to whom and when, in chunks of whole windows.

A window is a stretch of time that the pipelines of the company process at once, about a day
for a million messages. Messages come from the member base, or from a list of real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from streams.simulate.world import company
from streams.simulate.world.graph import Graph
from streams.simulate.world.ids import uuid7
from streams.simulate.world.members import ai_consent_at, third_party_consent_at
from streams.simulate.world.random_stream import below, chance, stream_key, unit

CHUNK = 50_000
"""About how many messages are made at once."""

_GROUP_MAX = 19
_SPAN = company.END - company.START


@dataclass(frozen=True)
class Windows:
    """The windows of a log: window w is [start(w), start(w + 1)).

    length: of a window; busy: from its start on, how long it has messages. Microseconds.
    """

    count: int
    length: int
    busy: int

    @staticmethod
    def of(messages: int) -> Windows:
        """Make windows of about a day, where that gives each 10 to 2,000 messages; else fewer."""
        size = min(2000, max(10, messages // (_SPAN // company.DAY)))
        count = -(-messages // size)
        length = -(-_SPAN // count)
        return Windows(count, length, min(length, company.DAY))

    @staticmethod
    def of_graph(messages: int) -> Windows:
        """Make windows of a day, or shorter where that leaves 2,000 messages to each on average."""
        count = max(_SPAN // company.DAY, -(-messages // 2000))
        length = -(-_SPAN // count)
        return Windows(count, length, length)

    def start(self, window: int) -> int:
        """Return its start, in microseconds since 1970."""
        return company.START + window * self.length


def random_messages(
    seed: int, messages: int, members: int, windows: Windows
) -> Iterator[pl.DataFrame]:
    """Yield chunks of messages between members drawn by chance, in the order of time.

    Columns: index, window, sent_at, sender, first and step (the recipients are the members
    first, first + step... after the sender), recipients (how many if it is to a group).
    """
    size = -(-messages // windows.count)
    per_chunk = size * max(1, CHUNK // size)
    gap = windows.busy // size
    i = pl.col("index")
    for begin in range(0, messages, per_chunk):
        end = min(messages, begin + per_chunk)
        activity = unit(stream_key(seed, "sender"), i)
        size_of_group = unit(stream_key(seed, "group"), i)
        yield pl.DataFrame({"index": pl.int_range(begin, end, eager=True)}).select(
            "index",
            window=i // size,
            sent_at=company.START
            + i // size * windows.length
            + i % size * gap
            + below(stream_key(seed, "sent_at"), i, gap),
            # A few members write most of the messages.
            sender=(activity * activity * members).cast(pl.Int64),
            first=below(stream_key(seed, "recipient"), i, members - 1),
            step=1 + below(stream_key(seed, "step"), i, max(1, (members - 1) // (_GROUP_MAX + 1))),
            # Most groups are small. A product, since powers may differ in the last bit by machine.
            recipients=2
            + (size_of_group * size_of_group * size_of_group * (_GROUP_MAX - 1)).cast(pl.Int64),
        )


def graph_messages(graph: Graph, windows: Windows) -> Iterator[pl.DataFrame]:
    """Yield chunks of a graph's messages, the same columns; each has one recipient, column `to`."""
    rows = graph.messages.with_row_index("index").with_columns(
        pl.col("index").cast(pl.Int64),
        window=(pl.col("sent_at") - company.START) // windows.length,
    )
    counts = rows["window"].rle().struct.unnest()["len"].to_list()
    begin = end = 0
    for count in counts:
        end += count
        if end - begin >= CHUNK or end == rows.height:
            yield rows[begin:end]
            begin = end


def with_parties(
    seed: int, members: pl.DataFrame, chunk: pl.DataFrame, *, groups: bool
) -> pl.DataFrame:
    """Add ids, channels and parties to the messages of a chunk, and the facts that flows go by.

    chunk: also has the columns train_at, trained_at, translate_at, instants at which consent is
    asked. groups: some are to a group. Adds message_id, channel, parties (list of structs, the
    sender first), confidential, exempt, exempt_after (any party is), trainable (every party
    consents when it enters a corpus and when a model is trained on it), shareable (with third
    parties).
    """
    i = pl.col("index")
    row = chunk.with_columns(
        message_id=uuid7(chunk["sent_at"], stream_key(seed, "message"), chunk["index"]),
        sender_pays=members["paying"].gather(chunk["sender"]),
    ).with_columns(
        # Seldom from who does not pay for it, to who has it open.
        inmail=pl.when("sender_pays")
        .then(chance(stream_key(seed, "inmail"), i, 2))
        .otherwise(chance(stream_key(seed, "open"), i, 30)),
        group=chance(stream_key(seed, "is_group"), i, 10) & (groups and "to" not in chunk.columns),
    )
    row = row.with_columns(
        channel=pl.when("group")
        .then(pl.lit("GROUP"))
        .when("inmail")
        .then(pl.lit("INMAIL"))
        .otherwise(pl.lit("DIRECT"))
    ).drop("inmail", "group", "sender_pays")
    parties = _parties(members, row)
    party = pl.struct(
        "role", "member_id", "tier", "region", "ai_training_consent", "third_party_consent"
    )
    by_message = parties.group_by("index", maintain_order=True).agg(
        parties=party,
        paying=pl.col("paying").any(),
        exempt=pl.col("exempt").any(),
        exempt_after=pl.col("exempt_after").any(),
        trainable=pl.col("trainable").all(),
        shareable=pl.col("shareable").all(),
    )
    return pl.concat([row, by_message.drop("index")], how="horizontal").with_columns(
        confidential=(pl.col("channel") == "INMAIL") & pl.col("paying")
    )


def _parties(members: pl.DataFrame, row: pl.DataFrame) -> pl.DataFrame:
    """Return one row a party, the sender first: members by number, their consents as of then."""
    listed = "to" in row.columns
    count = pl.when(pl.col("channel") == "GROUP").then(pl.col("recipients")).otherwise(1)
    by_chance = pl.int_ranges(pl.col("first"), pl.col("first") + pl.col("step") * count, "step")
    others = pl.concat_list("to") if listed else by_chance
    numbers = row.select(
        *("index", "sent_at", "train_at", "trained_at", "translate_at", "sender"),
        number=pl.concat_list("sender", others),
    ).explode("number")
    sender = pl.int_range(pl.len()).over("index") == 0
    numbers = numbers.with_columns(
        role=pl.when(sender).then(pl.lit("SENDER")).otherwise(pl.lit("RECIPIENT"))
    )
    if not listed:
        # Counted from the sender, so that nobody writes to themselves or twice to one.
        place = (pl.col("sender") + 1 + pl.col("number") % (members.height - 1)) % members.height
        numbers = numbers.with_columns(
            number=pl.when(pl.col("role") == "SENDER").then("number").otherwise(place)
        )
    both = pl.concat([numbers, members[numbers["number"]]], how="horizontal")
    return both.with_columns(
        ai_training_consent=ai_consent_at(pl.col("sent_at")),
        trainable=ai_consent_at(pl.col("train_at")) & ai_consent_at(pl.col("trained_at")),
        shareable=third_party_consent_at(pl.col("translate_at")),
        third_party_consent=third_party_consent_at(pl.col("sent_at")),
    )
