"""The contract: an Avro schema for each event, and their ids. Data of `lineage`, without code."""
