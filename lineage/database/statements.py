"""The SQL of the tracker: a query or a change a file, in the room that executes it."""

from functools import cache
from importlib.resources import files


@cache
def sql(name: str) -> str:
    """Return the text of a statement, comments and all.

    name: the room and the file, as "reach/holdings" or "judge/flags/delete_flag". Raises
    FileNotFoundError for an unknown one.
    """
    room, _, file = name.partition("/")
    return files("lineage").joinpath(room, "sql", f"{file}.sql").read_text(encoding="utf-8")
