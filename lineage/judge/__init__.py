"""The judgement of arrivals: facts as of each, rules, flags, and what late events invalidate."""
