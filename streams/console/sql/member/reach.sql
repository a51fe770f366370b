-- Where the messages with the keys in braces went, and which withdrawal of the member with the key
-- $member was in force when they arrived there (the latest change a refusal, which wins a tie).
WITH change AS (
    SELECT purpose, effective_at, bool_and(granted) AS granted
    FROM core.consent_change WHERE member = $member GROUP BY purpose, effective_at
),
came AS (
    SELECT a.message, a.dataset, a.arrived_at, a.identifiable
    FROM core.arrival a
    WHERE a.message IN ({keys}) AND a.hop <> 0
),
judged AS (
    SELECT c.*, CASE WHEN NOT ai.granted THEN ai.effective_at END AS ai_training_withdrawn_at,
        CASE WHEN NOT third.granted THEN third.effective_at END AS third_party_withdrawn_at
    FROM came c
    ASOF LEFT JOIN (FROM change WHERE purpose = core.purpose_code('AI_TRAINING')) ai
        ON c.arrived_at >= ai.effective_at
    ASOF LEFT JOIN (FROM change WHERE purpose = core.purpose_code('THIRD_PARTY')) third
        ON c.arrived_at >= third.effective_at
)
SELECT n.text AS dataset, count(DISTINCT j.message) AS messages, bool_or(j.identifiable) AS identifiable,
    min(j.arrived_at) AS first_at, max(j.arrived_at) AS last_at,
    count(*) FILTER (j.ai_training_withdrawn_at IS NOT NULL) AS after_ai_training_withdrawal,
    max(j.ai_training_withdrawn_at) AS ai_training_withdrawn_at,
    count(*) FILTER (j.third_party_withdrawn_at IS NOT NULL) AS after_third_party_withdrawal,
    max(j.third_party_withdrawn_at) AS third_party_withdrawn_at
FROM judged j
JOIN core.dataset_name n ON n.id = j.dataset
GROUP BY n.text
ORDER BY first_at, dataset
