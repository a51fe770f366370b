-- Which hops, from the key $first on, read some records?
SELECT hop, record FROM {rows} WHERE hop >= $first
