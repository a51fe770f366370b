"""Limits: how much the tracker takes into memory, or does, at a time. None changes a result.

Limits on events and files are part of the contract, and are in `codec.contract.limits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lineage.codec.contract.limits import READ_LIMITS, ReadLimits

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """The limits of a store, passed down from it; docs/limits.md has those on what is read.

    Attributes:
        batch_events: Events of a log that are applied together. More is faster, as much of a
            batch's cost does not grow with it, and takes more memory.
        read: Limits on the files of a log.
        process_bytes: A log of so many bytes or more is decoded in a second process.
        released_events: After a batch of so many its frames are let go of, which takes some
            milliseconds; those of a smaller one are held until the next batch.
        cached_texts: Names of datasets, and ids of members, whose keys are held in memory; each
            takes some 200 bytes.
        cached_uuids: Ids whose keys are held in memory; each takes 24 bytes.
        kept_uuids: Of more ids than that, the cache keeps so many.
        merged_uuids: Longer runs of the cache are not merged: searching both costs less.
        rederived_messages: Messages whose arrivals are derived anew at a time.
        restored_records: Records that messages were taken from, of which the inputs that read them
            are looked up at a time; joined at once with all inputs and arrivals, they could take
            more memory than a database may.
        judged_arrivals: New arrivals that are judged at a time.
        judged_breaches: Breaches that these may come to: fewer arrivals are judged at a time where
            a policy has many rules, all of which each could break.
        changed_flags: Breaches that become flags at a time. Where a batch brings more, its changes
            of flags go through a table; some 1 KiB of memory each.
        told_changes: Changes of flags that a batch has in memory for those who publish them; of
            more all are read from the database.
        rejudged_pairs: Pairs of message and dataset whose flags are derived anew at a time.
        rejudged_arrivals: Stored arrivals of these pairs that are judged at a time.
        rejudged_buckets: Ranges of ids by which the stored arrivals are counted to divide them.
        evaluated_facts: Arrivals, or combinations of facts, that rules are evaluated for at a time.
        combinations: Combinations of facts whose broken rules are remembered.
        rules: Rules that are evaluated in one statement.
        rule_memory_mib: MiB of memory for the database that evaluates rules.
        digest_rows: Rows that a digest reads at a time; fewer where there is little memory.
        digest_bytes: Hashes of a digest that are held in memory; more are sorted on the disk.
        verified_rows: Rows that are verified at a time.
        compared_rows: Arrivals and flags that are compared at a time with what a policy would flag.
        combination_arrivals: Judging a combination of facts costs as much as judging so many
            arrivals: where there are fewer, all are judged, and none is ruled out before.
        followed_messages: Messages that are followed at a time where a policy declassifies
            otherwise.
        query_mib: MiB of memory for a query, besides the database's own and its answer.
    """

    batch_events: int = 200_000
    read: ReadLimits = READ_LIMITS
    process_bytes: int = 32 << 20
    released_events: int = 10_000
    cached_texts: int = 1_000_000
    cached_uuids: int = 1_000_000
    kept_uuids: int = 700_000
    merged_uuids: int = 100_000
    rederived_messages: int = 200_000
    restored_records: int = 100_000
    judged_arrivals: int = 1_000_000
    judged_breaches: int = 6_000_000
    changed_flags: int = 100_000
    told_changes: int = 25_000
    rejudged_pairs: int = 500_000
    rejudged_arrivals: int = 250_000
    rejudged_buckets: int = 4_096
    evaluated_facts: int = 50_000
    combinations: int = 1 << 20
    rules: int = 10
    rule_memory_mib: int = 256
    digest_rows: int = 200_000
    digest_bytes: int = 64 << 20
    verified_rows: int = 250_000
    compared_rows: int = 250_000
    combination_arrivals: int = 4
    followed_messages: int = 50_000
    query_mib: int = 1_024


DEFAULT_LIMITS: Final = Limits()
