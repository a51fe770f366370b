"""Holds the saved questions, by what they are about."""
