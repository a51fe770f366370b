-- What is touched of the messages from $first to $last, once each.
CREATE OR REPLACE TEMP TABLE touched_part AS
SELECT DISTINCT m, ds FROM touched WHERE m BETWEEN $first AND $last
