-- Which of the hops in `examined` declassify, by the policy in force at their instant?
SELECT h.n AS h
FROM examined e
JOIN core.hop h ON h.n = e.h
JOIN core.policy_span s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
JOIN core.policy_method a ON a.policy = s.policy AND a.method = h.method AND h.k >= a.min_k
