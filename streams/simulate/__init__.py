"""Simulates an event log of a fictional company, with leaks planted into it.

The flags to be expected are known from how the leaks were planted; they are written beside the log.
"""

from streams.simulate.errors import GraphError, SimulationError
from streams.simulate.run import EXPECTED_FLAGS, Summary, simulate

__all__ = ["EXPECTED_FLAGS", "GraphError", "SimulationError", "Summary", "simulate"]
