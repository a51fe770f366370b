"""The SQL of the tracker, a question or a change a file."""

from functools import cache
from importlib.resources import files


@cache
def sql(name: str) -> str:
    """The text of `name`.sql, comments and all. Raises FileNotFoundError for an unknown name."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
