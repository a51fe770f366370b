"""Plants leaks and near misses: scenarios, and their injection into a log."""
