"""Where each message went: the least fixpoint of the hops."""
