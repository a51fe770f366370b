"""The garbage collector rests while a worker records."""

from __future__ import annotations

import gc

from streams.worker.configuration.gc_tuning import few_collections, usual_collections


def test_what_is_there_is_left_alone_until_it_is_undone() -> None:
    usual = gc.get_threshold()
    few_collections()
    try:
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > 10 * usual[0]
    finally:
        usual_collections()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual
