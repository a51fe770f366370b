"""Simulates the ordinary pipelines of the company, which break no rule of any policy in force.

Window by window, some hours after it ended: messages go from the topic into the raw and the
curated table; from there parts of them into embeddings, conversation features, a search index,
a quality review; an anonymiser; two training corpora by shards, and a model; two third parties.
Every batch is filtered by what may go on: that is what keeps the flags known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from streams.simulate.world import company
from streams.simulate.world.events import DECLASSIFICATION
from streams.simulate.world.ids import uuid7
from streams.simulate.world.messages import Windows
from streams.simulate.world.random_stream import below, stream_key, unit

# When a step moves its records: so many hundredths of its busy time after the end of that.
_AFTER = {
    "raw": 5,
    "curated": 15,
    "embed": 22,
    "features": 28,
    "anonymise": 35,
    "search": 42,
    "train": 50,
    "vendor": 58,
    "translate": 65,
    "trained": 75,
    "review": 85,
}
_BATCH = 2_000
_SHARD = 64
_CONVERSATION = 8
_PARTS = 2**20


@dataclass(frozen=True)
class Step:
    """A job of the flow: its operation, its ends, and at most how many records at once."""

    name: str
    job: str
    operation: str
    source: str
    target: str
    batch: int = _BATCH


LAND = Step("raw", "land-messages", "COPY", company.ORIGIN, company.RAW)
CURATE = Step("curated", "curate-messages", "TRANSFORM", company.RAW, company.CURATED)
EMBED = Step("embed", "embed-messages", "EMBED", company.CURATED, company.EMBEDDINGS)
CONVERSE = Step(
    "features",
    "conversation-features",
    "AGGREGATE",
    company.CURATED,
    company.FEATURES,
    _CONVERSATION,
)
ANONYMISE = Step(
    "anonymise", "anonymise-messages", "ANONYMIZE", company.CURATED, company.ANONYMISED
)
INDEX = Step("search", "index-messages", "COPY", company.CURATED, company.SEARCH)
SHARE = Step("vendor", "share-insights", "EXPORT", company.ANONYMISED, company.INSIGHTS)
TRANSLATE = Step(
    "translate", "send-for-translation", "EXPORT", company.CURATED, company.TRANSLATION
)
SHARD = Step(
    "train", "build-shards", "AGGREGATE", company.CURATED, company.ASSISTANT_CORPUS, _SHARD
)
TRAIN = Step("trained", "train-assistant", "TRAIN", company.ASSISTANT_CORPUS, company.MODEL)
READ = Step("review", "review-quality", "READ", company.CURATED, company.REVIEW)


def timetable(seed: int, windows: Windows, first: int, last: int) -> pl.DataFrame:
    """When each step of the windows first to last happens.

    Columns: window; for each step its instant, <step>_at; k, how well the anonymiser does.
    """
    w = pl.col("window")
    end = company.START + w * windows.length + windows.busy
    unsteady = max(1, windows.busy // 25)
    table = pl.DataFrame({"window": pl.int_range(first, last + 1, eager=True)}).with_columns(
        (
            end + windows.busy * after // 100 + below(stream_key(seed, "step", name), w, unsteady)
        ).alias(f"{name}_at")
        for name, after in _AFTER.items()
    )
    least = pl.when(pl.col("anonymise_at") < company.NOTICE)
    return table.with_columns(
        k=least.then(company.DEFAULT_ON_POLICY.min_k).otherwise(company.NOTICE_POLICY.min_k)
        + 5 * below(stream_key(seed, "k"), w, 10)
    )


def _in(era: company.Era, *steps: str) -> pl.Expr:
    """Return the condition that all these steps of the window lie in an era."""
    return pl.all_horizontal(
        pl.col(f"{step}_at").is_between(era.start, era.end, closed="left") for step in steps
    )


class Flow:
    """The ordinary hops of a log, chunk by chunk.

    arrivals: their number so far, origins included, by the construction of each hop.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.arrivals = 0

    def hops(self, messages: pl.DataFrame) -> list[pl.DataFrame]:
        """Return the RecordsMoved of a chunk, one frame a job.

        messages: as `messages.with_parties` gives them, with the columns of `timetable`.
        """
        self.arrivals += messages.height
        curated = messages.filter(self._some(CURATE, 0.75))
        with_policy = company.Era(company.DEFAULT_ON, company.NEVER)
        anonymous = curated.filter(self._some(ANONYMISE, 0.3) & _in(with_policy, "anonymise"))
        public = ~pl.col("confidential") & pl.col("shareable")
        return [
            self._moved(LAND, messages),
            self._moved(CURATE, curated),
            self._moved(EMBED, curated.filter(self._some(EMBED, 0.3))),
            self._moved(CONVERSE, curated.filter(self._some(CONVERSE, 0.25)), merged=True),
            self._moved(ANONYMISE, anonymous),
            self._moved(INDEX, curated.filter(self._some(INDEX, 0.3))),
            self._moved(SHARE, anonymous.filter(pl.col("shareable"))),
            self._moved(TRANSLATE, curated.filter(public & self._some(TRANSLATE, 0.2))),
            self._moved(READ, curated.filter(self._some(READ, 0.02))),
            *self._training(curated, anonymous),
        ]

    def _some(self, step: Step, share: float) -> pl.Expr:
        return unit(stream_key(self._seed, "share", step.name), pl.col("index")) < share

    def _training(self, curated: pl.DataFrame, anonymous: pl.DataFrame) -> list[pl.DataFrame]:
        """Shards and models; nothing is trained on shards from before a change of policy."""
        trainable = pl.col("trainable")
        early = curated.filter(
            trainable
            & ~pl.col("exempt")
            & ~pl.col("confidential")
            & self._some(SHARD, 0.8)
            & _in(company.OPEN, "train", "trained")
        )
        after_notice = company.Era(company.NOTICE, company.NEVER)
        late = anonymous.filter(
            trainable & ~pl.col("exempt_after") & _in(after_notice, "train", "trained")
        )
        frames = []
        for messages, source in ((early, company.CURATED), (late, company.ANONYMISED)):
            shards = self._moved(replace(SHARD, source=source), messages, merged=True)
            # Every third shard is for ranking, which the simulated company has no model of.
            ranking = pl.int_range(pl.len()) % 3 == 2
            shards = shards.with_columns(
                target=pl.when(ranking).then(pl.lit(company.RANKING_CORPUS)).otherwise("target")
            )
            trained = shards.filter(pl.col("target") == company.ASSISTANT_CORPUS)
            self.arrivals += int(trained["inputs"].list.len().sum())
            frames += [shards, self._trained(trained)]
        return frames

    def _trained(self, shards: pl.DataFrame) -> pl.DataFrame:
        """One model a window from all of its shards."""
        records = shards.select("window", "trained_at", message_id=pl.col("outputs").list.first())
        return self._moved(TRAIN, records, merged=True, count=False)

    def _moved(
        self, step: Step, rows: pl.DataFrame, *, merged: bool = False, count: bool = True
    ) -> pl.DataFrame:
        """Return the hops of one job: the rows of a window in batches.

        rows: message_id (the record), window, the step's instant. merged: each batch becomes
        one new record. The hops also have the columns window and trained_at, if the rows do.
        """
        if count:
            self.arrivals += rows.height
        kept = [c for c in ("trained_at", "k") if c in rows.columns and c != f"{step.name}_at"]
        batches = (
            rows.with_columns(part=pl.int_range(pl.len()).over("window") // step.batch)
            .group_by("window", "part", maintain_order=True)
            .agg(
                pl.col(kept).first(),
                inputs=pl.col("message_id"),
                moved_at=pl.col(f"{step.name}_at").first(),
            )
        )
        number = batches["window"] * _PARTS + batches["part"]
        at = batches["moved_at"]
        record = uuid7(at, stream_key(self._seed, "record", step.name), number)
        declassified = step is ANONYMISE
        return batches.with_columns(
            uuid7(at, stream_key(self._seed, "hop", step.name), number).alias("hop_id"),
            uuid7(at, stream_key(self._seed, "run", step.name), batches["window"]).alias("run_id"),
            record.alias("outputs"),
            job=pl.lit(step.job),
            operation=pl.lit(step.operation),
            source=pl.lit(step.source),
            target=pl.lit(step.target),
            log_at=pl.col("moved_at"),
        ).with_columns(
            outputs=pl.concat_list("outputs") if merged else pl.lit([], dtype=pl.List(pl.String)),
            declassification=pl.struct(method=pl.lit(company.METHOD), k=pl.col("k").cast(pl.Int32))
            if declassified
            else pl.lit(None, dtype=DECLASSIFICATION),
        )
