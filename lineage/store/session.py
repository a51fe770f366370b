"""The session: a reader of a database that is open already, whose queries can be ended."""

from __future__ import annotations

from contextlib import suppress

import duckdb

from lineage.errors import LineageError
from lineage.store.reader import Reader


class Session(Reader):
    """Reads the database of another reader; another thread can `end` what it is asked.

    Closing it leaves the database open.
    """

    def __init__(self, reader: Reader) -> None:
        vars(self).update(vars(reader))
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self.reason: LineageError | None = None

    def end(self, reason: LineageError) -> None:
        """Interrupt what it is asked, and refuse what it would be asked next, for a reason.

        Call it again until the call has returned: DuckDB forgets an interrupt that comes between
        two queries.
        """
        self.reason = self.reason or reason
        for cursor in list(self._cursors):
            with suppress(duckdb.ConnectionException):  # closed meanwhile
                cursor.interrupt()

    def close(self) -> None:
        """Let go of its queries. Nothing may be asked any more, and no call be left."""
        while self._cursors:
            self._cursors.pop().close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if self.reason is not None:
            raise self.reason
        cursor = super()._cursor()
        self._cursors.append(cursor)
        return cursor
