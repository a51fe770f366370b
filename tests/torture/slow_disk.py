"""Makes the disk of a process slow: its fsync waits, by a library that is loaded before libc's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).parent / "slow_fsync.c"


def why_no_slow_disk() -> str | None:
    """Return why there can be none here; None where there can."""
    if sys.platform != "linux":
        return "LD_PRELOAD is Linux's"
    return None if shutil.which("cc") else "there is no C compiler (cc)"


def slow_disk(folder: Path, milliseconds: int) -> Mapping[str, str]:
    """Compile the library into a folder; return the environment of a process with a slow disk."""
    library = folder / "slow_fsync.so"
    if not library.exists():
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
    return {"LD_PRELOAD": str(library), "SLOW_FSYNC_MS": str(milliseconds)}
