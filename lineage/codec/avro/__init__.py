"""Events in Avro: a fast path for the present schema, and a fallback that reads every version."""
