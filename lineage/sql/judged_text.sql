-- What is judged, in words, one row an arrival: for rules that name the message or the instant.
CREATE OR REPLACE TEMP TABLE judged_text AS
{fact_text}
JOIN core.identity i ON i.n = f.m
