-- The distinct combinations of facts among what is judged: rules are evaluated once for each.
CREATE OR REPLACE TEMP TABLE combination AS
WITH distinct_facts AS (
    SELECT DISTINCT 0 AS m, 0 AS h, 0 AS rec, policy, ds, declaration, channel, confidential,
        exempt_region, ai_training_consent, third_party_consent, operation, identifiable,
        disclosed
    FROM judged
)
{fact_text}
