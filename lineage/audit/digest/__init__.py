"""Hashes all recorded contents, in any order and bounded memory."""
