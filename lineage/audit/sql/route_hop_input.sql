-- The records that some hops read.
SELECT hop, record AS source_record FROM {rows}
