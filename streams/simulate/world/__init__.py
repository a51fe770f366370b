"""The simulated world: chance, ids, the company, its members and what they write."""
