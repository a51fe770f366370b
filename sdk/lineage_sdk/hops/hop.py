"""The hop: a block of a job that moves records from a dataset to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

from ..contract.events import RECORDS_MOVED
from ..contract.instants import micros_of
from ..contract.validate_event import wrong_with
from ..delivery.current import emitter
from ..errors import EventError
from ..ids import instant_text, now_text, stable_id, uuid7
from ..runs import count_hop, current_run, process_run_id
from .blocks import BLOCK_LIMITS, BlockLimits, blocks, grouped
from .columns import ids_of, pairs_of

Function = TypeVar("Function", bound=Callable[..., Any])
_Moved = tuple[Sequence[str], Sequence[str]]


class Hop:
    """A hop, to be used as a context manager or as a decorator; see `hop`."""

    def __init__(self, fields: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._fields = dict(fields)
        self._options = dict(options)
        self._moved: list[_Moved] = []

    def __enter__(self) -> Hop:
        self._moved = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.report()
        else:
            self._moved = []

    def __call__(self, function: Function) -> Function:
        """Decorate a function, generator or agent: each call, or each item it reads, is a hop."""
        from .decorated import decorated

        return decorated(self, function)

    def keep(self, ids: Any) -> None:  # noqa: ANN401 - whatever holds ids
        """State that records moved and kept their ids."""
        self._state(lambda: _kept(ids_of(ids)), ids)

    def derive(self, inputs: Any, outputs: Any) -> None:  # noqa: ANN401 - as above
        """State that every input flowed into every output. No outputs: nothing moved."""
        self._state(lambda: _product(ids_of(inputs), ids_of(outputs)), inputs)

    def pairs(self, rows: Any, outputs: Any = None) -> None:  # noqa: ANN401 - as above
        """State which input flowed into which output: rows of two ids, or two columns of ids."""
        self._state(lambda: _of_pairs(rows, outputs), rows)

    def report(self) -> None:
        """Report now what was stated so far, and begin anew: for blocks that never end."""
        moved, self._moved = self._moved, []
        if not moved or emitter().settings.disabled:
            return
        moved_at = self._fields["moved_at"] or now_text()
        try:
            for inputs, outputs in moved:
                self._emit(inputs, outputs, moved_at)
        except EventError:
            raise
        except Exception as error:  # whatever it is, the job goes on
            emitter().refuse(f"a hop could not be reported: {error}", self._strict)

    def fresh(self) -> Hop:
        """Return a hop alike with nothing in it, for one call of a decorated function."""
        return Hop(self._fields, self._options)

    @property
    def options(self) -> Mapping[str, Any]:
        """Return how a decorated function's arguments and results are read."""
        return self._options

    @property
    def _strict(self) -> bool | None:
        given: bool | None = self._options["strict"]
        return given

    def _state(self, moved: Callable[[], list[_Moved]], given: Any) -> None:  # noqa: ANN401 - as above
        if emitter().settings.disabled:
            return
        try:
            for inputs, outputs in moved():
                if self._may_be_sent(inputs, outputs):
                    self._moved.append((inputs, outputs))
        except EventError:
            raise
        except TypeError as error:
            if self.check(given):
                emitter().refuse(str(error), self._strict)
        except Exception as error:  # whatever it is, the job goes on
            emitter().refuse(f"{type(error).__name__}: {error}", self._strict)

    def _may_be_sent(self, inputs: Sequence[str], outputs: Sequence[str]) -> bool:
        # Each event is checked when it is emitted; where strict, here too, where it is stated.
        strict = emitter().settings.strict if self._strict is None else self._strict
        if strict or not set(map(type, inputs)) | set(map(type, outputs)) <= {str}:
            return self.check(inputs, outputs)
        return True

    def check(self, inputs: Any = ("-",), outputs: Any = ()) -> bool:  # noqa: ANN401 - as above
        """Refuse what the tracker would refuse; return whether it would take it."""
        if isinstance(inputs, tuple):
            inputs = list(inputs)
        run_id, job = self._run()
        event = self._event(inputs, list(outputs), "-", run_id, job)
        reason = wrong_with(RECORDS_MOVED, event)
        if reason is None or reason.startswith("a hop of "):  # too large, and cut
            return True
        emitter().refuse(reason, self._strict)
        return False

    def _run(self) -> tuple[str, str]:
        run = current_run()
        run_id, job = self._fields["run_id"], self._fields["job"]
        if run_id is None:
            run_id = run.id if run else process_run_id()
        if job is None:
            job = run.job if run else emitter().settings.job
        return run_id, job

    def _emit(self, inputs: Sequence[str], outputs: Sequence[str], moved_at: str) -> None:
        key = self._fields["key"]
        if key is not None:  # the same cuts, in whatever order a retry has them
            inputs, outputs = sorted(inputs), sorted(outputs)
        limits: BlockLimits = self._options.get("limits") or BLOCK_LIMITS
        run_id, job = self._run()
        for some, others in blocks(inputs, outputs, limits):
            hop_id = uuid7() if key is None else self._stable_id(key, job, some, others)
            event = self._event(list(some), list(others), hop_id, run_id, job)
            event["moved_at"] = moved_at
            if emitter().emit(event, self._strict):
                count_hop(event)

    def _stable_id(
        self, key: object, job: str, inputs: Sequence[str], outputs: Sequence[str]
    ) -> str:
        fields = self._fields
        parts = [fields[name] for name in ("source", "target", "operation", "declassification")]
        micros = micros_of(fields["moved_at"]) if fields["moved_at"] else None
        millis = None if micros is None else micros // 1000
        return stable_id(key, [job, *parts, list(inputs), list(outputs)], millis)

    def _event(
        self,
        inputs: Any,  # noqa: ANN401 - as above
        outputs: Any,  # noqa: ANN401 - as above
        hop_id: str,
        run_id: str,
        job: str,
    ) -> dict[str, Any]:
        return {
            "event": RECORDS_MOVED.name,
            "hop_id": hop_id,
            "run_id": run_id,
            "job": job,
            "operation": self._fields["operation"],
            "source": self._fields["source"],
            "target": self._fields["target"],
            "inputs": inputs,
            "outputs": outputs,
            "declassification": self._fields["declassification"],
            "moved_at": self._fields["moved_at"] or now_text(),
        }


def _kept(inputs: list[str]) -> list[_Moved]:
    return [(inputs, ())] if inputs else []


def _product(inputs: list[str], outputs: list[str]) -> list[_Moved]:
    return [(inputs, outputs)] if inputs and outputs else []


def _of_pairs(rows: Any, outputs: Any) -> list[_Moved]:  # noqa: ANN401 - whatever holds ids
    kept, groups = grouped(pairs_of(rows, outputs))
    return [*_kept(kept), *groups]


def hop(
    source: str,
    target: str,
    operation: str = "COPY",
    *,
    ids: Callable[..., Any] | None = None,
    outputs: Callable[..., Any] | None = None,
    pairs: Callable[..., Any] | None = None,
    filter: bool = False,
    job: str | None = None,
    run_id: str | None = None,
    key: object = None,
    declassification: Mapping[str, Any] | None = None,
    moved_at: datetime | str | None = None,
    strict: bool | None = None,
    limits: BlockLimits | None = None,
) -> Hop:
    """Return a hop: which records a block, or a decorated function, moves from source to target.

    ```python
    with hop("crm.contacts", "warehouse.contacts") as h:
        rows = copy()
        h.keep(row["id"] for row in rows)
    ```

    It is reported when the block ends, as of then unless `moved_at` is given; not at all where an
    exception leaves the block. What had moved by then is stated by `report()` before.

    Args:
        source: The dataset that is read.
        target: The dataset that is written.
        operation: What the job does: COPY, TRANSFORM, JOIN, AGGREGATE, ANONYMIZE, EMBED, TRAIN,
            EXPORT, READ.
        ids: Of a decorated function: gives the ids of the input, from the function's arguments, or
            from each item of the stream that it reads.
        outputs: Gives the ids of the output from the result, or from each item it yields. Every
            input then flows into every output.
        pairs: Gives (input, output) pairs from the arguments, with the result before them.
        filter: The function returns which of its records go on: true or false, for each or for all.
        job: That of the run that it is in, if it is not given.
        run_id: As job.
        key: Whatever names this move for the job, such as a day. Hops of a retry then have the ids
            that they had; give `moved_at` too, and a run with a key, and nothing is counted twice.
        declassification: {"method": …, "k": …}, or None.
        moved_at: When the records moved, if not now.
        strict: Whether what the tracker would refuse raises EventError (None: LINEAGE_STRICT).
        limits: How large one event may be.
    """
    fields = {
        "source": source,
        "target": target,
        "operation": operation,
        "job": job,
        "run_id": run_id,
        "key": key,
        "declassification": declassification,
        "moved_at": instant_text(moved_at) if isinstance(moved_at, datetime) else moved_at,
    }
    read = {"ids": ids, "outputs": outputs, "pairs": pairs, "filter": filter}
    made = Hop(fields, {**read, "strict": strict, "limits": limits})
    settings = emitter().settings
    if (settings.strict if strict is None else strict) and not settings.disabled:
        made.check()
    return made
