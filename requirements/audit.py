"""Audit the lock files: say whether a vulnerability is known of what they pin.

Usage: python requirements/audit.py LOCK… with a Python that has pip-audit. Ends with 1 where one is
known, and with 0 where none is; also, saying so, where no advisories can be reached from here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def verdict(lock: str, report: Mapping[str, Any]) -> tuple[int, str]:
    """Return the exit code and what to say of a report of pip-audit's on a lock file."""
    packages: Sequence[Mapping[str, Any]] = report["dependencies"]
    audited = [one for one in packages if "skip_reason" not in one]
    if not audited:
        return 0, f"{lock}: no advisories can be reached from here; nothing was audited"
    known = [
        f"{one['name']} {one['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for one in audited
        for found in one["vulns"]
    ]
    told = f"{lock}: {len(audited)} of {len(packages)} packages audited"
    if known:
        return 1, "\n".join([f"{told}, vulnerabilities are known of these:", *known])
    return 0, f"{told}, no vulnerability is known"


def report_of(lock: str) -> Mapping[str, Any]:
    """Return pip-audit's report on a lock file; one of no packages where it cannot be made."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--requirement", lock]
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- a command of ours
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:  # no connection at all
        return {"dependencies": []}
    return report


def main() -> int:
    """Audit the lock files named; return the exit code."""
    code = 0
    for lock in sys.argv[1:]:
        found, told = verdict(lock, report_of(lock))
        print(told, file=sys.stderr)
        code = max(code, found)
    return code


if __name__ == "__main__":
    sys.exit(main())
