"""Takes pictures of the console's main pages, of a simulated company, into a folder."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import lineage
from streams.console.address import page_address
from streams.simulate import simulate
from tests.streams.console.browser import browser
from tests.streams.console.showing import showing

_LEAK = """
SELECT f.message_id
FROM flag f
JOIN arrival a ON a.message_id = f.message_id
WHERE f.rule = 'confidential-inmail-to-third-party'
GROUP BY ALL
ORDER BY count(*) DESC, f.message_id
LIMIT 1
"""


def main(folder: Path) -> None:
    """Simulate, record, show, and take the pictures."""
    with tempfile.TemporaryDirectory() as log, lineage.open(":memory:") as store:
        simulate(5_000, seed=1, out=Path(log) / "log")
        store.replay(Path(log) / "log", at=datetime.now(UTC))
        ((message,),) = store.sql(_LEAK).fetchall()
        pages = {
            "overview": "/#flow",
            "message": page_address("message", message),
            "dataset": page_address("dataset", "vendors.insights"),
        }
        with showing(store) as url, browser() as driver:
            for name, path in pages.items():
                driver.get(url + path)
                driver.save_screenshot(str(folder / f"console-{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
