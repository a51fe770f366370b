-- Nothing has arrived yet. stored: an arrival of an earlier batch, now known to be identifiable.
-- known: NEW, or in this BATCH or in the STORE but not yet as identifiable.
CREATE OR REPLACE TEMP TABLE arrived AS SELECT *, false AS stored FROM core.arrival WHERE false;
CREATE OR REPLACE TEMP TABLE frontier AS SELECT *, 'NEW' AS known FROM core.arrival WHERE false
