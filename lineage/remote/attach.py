"""Attaches a store that is served to a connection of DuckDB's own, by DuckDB's extension quack."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from lineage.errors import StoreError

# httpfs is what quack sends its messages with.
_EXTENSIONS = ("httpfs", "quack")


def attach(
    connection: duckdb.DuckDBPyConnection, url: str, token: str, name: str = "lineage"
) -> None:
    """Attach the store that is served at `url`, http://HOST:PORT, to a connection, by a name.

    token: that of the server's token file, or of the file FILE.serve.json beside the database.
    Raises StoreError where the extensions are not installed, and duckdb.Error where the server does
    not answer or lets nobody in.
    """
    for statement in attach_statements(url, token, name):
        connection.execute(statement)


def attach_statements(url: str, token: str, name: str = "lineage") -> list[str]:
    """Return the statements that attach a store in any client of DuckDB; else as `attach`."""
    loads = [f"LOAD {_quoted(str(_extension(extension)))};" for extension in _EXTENSIONS]
    address = f"quack:{urlsplit(url).netloc}"
    identifier = '"' + name.replace('"', '""') + '"'
    return [*loads, f"ATTACH {_quoted(address)} AS {identifier} (TOKEN {_quoted(token)});"]


def _extension(name: str) -> Path:
    """Return the file of an extension, which comes as a package. Raises StoreError."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec and spec.submodule_search_locations) or ():
        version = f"v{duckdb.__version__}"
        path = Path(folder) / "extensions" / version / f"{name}.duckdb_extension"
        if path.exists():
            return path
    raise StoreError(
        f"DuckDB's extension {name} is not installed for DuckDB {duckdb.__version__};"
        " `pip install 'message-lineage[quack]'` installs it"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
