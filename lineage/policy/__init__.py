"""Policies: parses documents from outside, and checks their rules."""
