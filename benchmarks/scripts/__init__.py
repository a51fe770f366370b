"""Holds programs that parts run as processes of their own."""
