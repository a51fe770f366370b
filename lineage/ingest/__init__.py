"""What is done before the store is asked: reading a log ahead, and encoding its batches."""
