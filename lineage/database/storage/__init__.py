"""Looks after the file: what is wrong with it, its log, spill, snapshots and scans."""
