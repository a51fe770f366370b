"""Policies: documents from outside, parsed, and their rules checked."""
