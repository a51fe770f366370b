"""Sizes what is measured; by default, `history` and `long` come to 100 million arrivals."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields

__all__ = ["Sizes", "add_options", "of_options"]


@dataclass(frozen=True)
class Sizes:
    """The options that say how much is measured; all are numbers of at least 1."""

    replay: int = field(default=300_000, metadata={"help": "messages of each replayed log"})
    long: int = field(
        default=25_500_000,
        metadata={"help": "messages of the one log, worst mix, that takes long to replay"},
    )
    history: int = field(
        default=25_500_000,
        metadata={"help": "messages of history at the end; compared with a hundredth of it"},
    )
    batch: int = field(default=50_000, metadata={"help": "events of each batch upon history"})
    disorder: int = field(default=600_000, metadata={"help": "messages of the log in disorder"})
    views: int = field(default=900_000, metadata={"help": "messages whose views are asked"})
    console: int = field(
        default=2_600_000, metadata={"help": "messages of the database whose pages are shown"}
    )
    questions: int = field(
        default=2_600_000, metadata={"help": "messages upon which saved questions are asked"}
    )
    live: int = field(default=300_000, metadata={"help": "messages of each log read from Kafka"})
    rate: int = field(default=20_000, metadata={"help": "events a second while latency is taken"})
    seconds: int = field(default=30, metadata={"help": "seconds for which latency is taken"})
    peers: int = field(default=250_000, metadata={"help": "messages that each peer reads"})
    whatif: int = field(
        default=2_550_000,
        metadata={"help": "messages of the log upon which a policy is tried, ten million arrivals"},
    )
    partitions: int = field(default=4, metadata={"help": "partitions of each topic"})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one option a size: --replay N and so on; digits may be grouped: 10_000_000."""
    group = parser.add_argument_group("sizes")
    for each in fields(Sizes):
        group.add_argument(
            f"--{each.name}",
            type=_count,
            default=each.default,
            metavar="N",
            help=f"{each.metadata['help']} (%(default)s)",
        )


def of_options(options: argparse.Namespace) -> Sizes:
    """Read the sizes back from parsed options."""
    return Sizes(**{each.name: getattr(options, each.name) for each in fields(Sizes)})


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return number
