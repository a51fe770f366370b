"""The simulator: an event log of a fictional company, with leaks planted into it.

What must be flagged is known from how the leaks were planted; it is written beside the log.
"""

from streams.simulate.errors import GraphError, SimulationError
from streams.simulate.run import EXPECTED_FLAGS, Summary, simulate

__all__ = ["EXPECTED_FLAGS", "GraphError", "SimulationError", "Summary", "simulate"]
