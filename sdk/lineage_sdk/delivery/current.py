"""The emitter of this process: made when it is first needed, and ended when the process ends."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from .. import ids
from ..errors import SettingsError
from .emitter import Counters, Emitter
from .settings import Settings, check_address, default_job, from_environment

_log = logging.getLogger("lineage_sdk")
_lock = threading.RLock()
_emitter: Emitter | None = None
_ends = False  # whether it is seen to that the emitter ends with the process
_forked = False


def emitter() -> Emitter:
    """Return the emitter of this process, made from the environment if there is none.

    A setting that means nothing is logged, and nothing is reported then.
    """
    global _emitter
    if not _ends:
        _end_with_process()
    if _emitter is None:
        with _lock:
            if _emitter is None:
                _emitter = Emitter(_settings())
    return _emitter


def _settings() -> Settings:
    try:
        settings = from_environment()
    except Exception as error:  # whatever it is, the job goes on
        _log.warning("%s", error if isinstance(error, SettingsError) else repr(error))
        return Settings(job=default_job(), disabled=True)
    if settings.emit is None and not settings.disabled:
        _log.warning("LINEAGE_EMIT is not set: what is reported goes nowhere")
    return settings


def configure(
    emit: str | None = None,
    *,
    job: str | None = None,
    spool: str | Path | None = None,
    strict: bool | None = None,
    disabled: bool | None = None,
    token: str | None = None,
) -> None:
    """Set what the environment would; what is not given is as the environment says.

    What was reported before is sent first, as at the end of the process. Raises SettingsError.
    """
    settings = from_environment()
    if emit is not None:
        check_address(emit)
    settings = replace(
        settings,
        emit=settings.emit if emit is None else emit,
        job=settings.job if job is None else job,
        spool=settings.spool if spool is None else Path(spool),
        strict=settings.strict if strict is None else strict,
        disabled=settings.disabled if disabled is None else disabled,
        token=settings.token if token is None else token,
    )
    global _emitter
    _end()
    with _lock:
        _emitter = Emitter(settings)


def flush(seconds: float = 10.0) -> bool:
    """Wait until all that this process reported is sent; return whether it is."""
    return emitter().flush(seconds)


def counters() -> Counters:
    """Return how many events this process reported, sent and lost."""
    return emitter().counters()


def _end() -> None:
    global _emitter
    with _lock:
        ended, _emitter = _emitter, None
    if ended is not None:
        ended.close(ended.settings.flush_seconds)


def _end_at_exit() -> None:
    # Children that have ended may have left something, also where this process reported nothing.
    children = _forked or "multiprocessing.process" in sys.modules
    if _emitter is None and children and os.environ.get("LINEAGE_EMIT"):
        emitter()
    _end()


def _end_with_process() -> None:
    """See to it that a child of multiprocessing flushes at its end: it runs no exit handlers."""
    global _ends
    _ends = True
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, _end, exitpriority=0)


def _before_fork() -> None:
    _lock.acquire()
    if _emitter is not None:
        _emitter.before_fork()


def _after_fork_in_parent() -> None:
    global _forked
    _forked = True
    if _emitter is not None:
        _emitter.after_fork()
    _lock.release()


def _after_fork_in_child() -> None:
    global _lock, _ends, _forked
    _ends = _forked = False
    _lock = threading.RLock()
    ids.forget_lock()
    if _emitter is not None:
        _emitter.forget()


atexit.register(_end_at_exit)
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
