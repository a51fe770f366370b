-- What some hops read.
SELECT h, rec AS source_rec FROM {rows}
