"""Takes fetched records through decoding and the store to their acknowledgement."""
