-- The documents of a policy and of the one before it, by when they take effect.
SELECT policy_id, effective_at, disclosed_at, document,
    lag(policy_id) OVER same AS policy_before, lag(document) OVER same AS document_before
FROM core.policy
WINDOW same AS (ORDER BY id <> 0, effective_at, policy_id)
QUALIFY policy_id = $policy
