"""`whatif`: the flags that a policy document would have raised, against those that stand."""

from __future__ import annotations

from pathlib import Path

import click

from streams.cli import options
from streams.cli.output.stdout import Shape, batch_rows, write_relation, write_shaped
from streams.cli.reader import reader_of

# More than any document may have, which is told by the check of the document.
_BYTES_MAX = 1 << 20


@click.command()
@click.option(
    "--policy", type=click.Path(path_type=Path), required=True, metavar="FILE",
    help="The policy document, as PolicyPublished has it: YAML or JSON.",
)  # fmt: skip
@options.database
@click.option(
    "--from", "since", metavar="INSTANT",
    help="The document holds from then on: 2024-08-01T00:00:00Z, or a day. Since ever without it.",
)  # fmt: skip
@click.option(
    "--to", "until", metavar="INSTANT",
    help="It holds until then, this instant excluded. For ever without it.",
)  # fmt: skip
@click.option("--flags", "each", is_flag=True, help="List each flag that would be new or gone.")
@options.memory_to_read
@options.rows
def whatif(
    policy: Path,
    db: Path,
    since: str | None,
    until: str | None,
    each: bool,
    memory: int,
    shape: Shape,
) -> None:
    """Compare the flags that a policy document would have raised with those that stand.

    Counts the flags that would be new, that would be gone, and that are the same, by rule and
    dataset. The document takes the place of the documents of all policies in force between --from
    and --to, which keep their instants. Nothing is written.
    """
    document = _document(policy)
    with reader_of(db, memory) as store:
        if not each:
            write_relation(store.whatif(document, since, until), shape)
            return
        with store.whatif_batches(document, since, until) as found:
            write_shaped(found.schema.names, batch_rows(found.batches()), shape)


def _document(path: Path) -> str:
    """Read a policy document, and check it before any database is opened."""
    import lineage
    from lineage.policy.parse import parse_policy

    with path.open("rb") as file:
        content = file.read(_BYTES_MAX)
    try:
        text = content.decode()
        parse_policy(text)
    except UnicodeDecodeError:
        raise lineage.PolicyError(f"{path}: a policy document is UTF-8") from None
    except lineage.PolicyError as error:
        raise lineage.PolicyError(f"{path}: {error.reason}") from None
    return text
