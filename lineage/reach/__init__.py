"""The arrivals of each message: the least fixpoint of the hops."""
