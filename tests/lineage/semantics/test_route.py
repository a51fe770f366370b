"""The two implementations of `route`, the store's in arrays and the macro in SQL, say the same."""

from __future__ import annotations

from hypothesis import given

from tests.lineage.events.logs import History, histories
from tests.properties import tried
from tests.stores import new_store


@tried(6)
@given(histories())
def test_the_store_and_the_macro_give_the_same_rows_in_the_same_order(history: History) -> None:
    with new_store() as store:
        for batch in history.batches:
            store.apply(batch)
        messages = store.sql("SELECT message_id FROM message ORDER BY ALL").fetchall()
        for (message_id,) in [*messages, ("known to nobody",)]:
            macro = store.sql("FROM route(?)", [message_id])
            columns = macro.columns
            ours = store.route(message_id).select(*columns)
            assert ours.fetchall() == macro.fetchall()
