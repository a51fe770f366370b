-- Which hops declassify, by the policy in force at their instant? The relation in braces has their
-- id, method, k and moved_at.
SELECT h.id
FROM {hops} h
JOIN core.policy_span s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
JOIN core.policy_method a ON a.policy = s.policy AND a.method = h.method AND h.k >= a.min_k
