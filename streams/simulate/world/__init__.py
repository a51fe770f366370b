"""Simulates the world of a log: chance, ids, the company, its members and what they write."""
