"""Declares the tables, and makes the SQL that creates them."""
