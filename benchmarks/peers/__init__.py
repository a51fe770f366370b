"""Does the same job the usual way, with the libraries that one would take.

What they share: fastavro decodes each record, dictionaries hold where each message is, rows are
batched into DuckDB through Arrow. They differ in how each library reads Kafka and hands over.
Only the rule about third parties is judged, by the built-in policy; consent and policies in the
log are recorded at most. None of them keeps more promises than its library does by default.
"""
