"""Event logs: files and folders of them, merged in the order of time."""
