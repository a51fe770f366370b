"""How many examples a property is tried on.

`LINEAGE_EXAMPLES` says it for a property of the semantics, of which one example costs most; the
others grow and shrink with it.
"""

import os

from hypothesis import HealthCheck, settings

_USUAL = 12
EXAMPLES = int(os.environ.get("LINEAGE_EXAMPLES", _USUAL))


def tried(examples: int) -> settings:
    """Settings for a property that is usually tried on so many examples."""
    return settings(
        # The first example is the simplest, often an empty one.
        max_examples=max(2, examples * EXAMPLES // _USUAL),
        # How long an example takes says nothing: the first one compiles what the others use.
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
