-- What rules ask of what is judged, in words.
CREATE OR REPLACE TEMP TABLE judged_text AS
{fact_text}
