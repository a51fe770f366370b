"""Was that allowed: facts as of each arrival, rules, flags, and what a late event invalidates."""
