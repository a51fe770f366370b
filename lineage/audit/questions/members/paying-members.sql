-- Who was on a paying tier, and by which policy?
--
-- Members by the tags on their messages, as of each message's sending. One row a member, tier and
-- policy that takes it for a paying one.
--
-- $policy (text, default null): Only by this policy.
-- $member (text, default null): Only this member.
WITH paying AS MATERIALIZED (
    SELECT p.policy_id, t.range AS tier, s.from_at, s.until_at
    FROM core.policy_span s
    JOIN core.policy p ON p.id = s.policy
    CROSS JOIN range(8) t
    WHERE (p.paying_tiers >> t.range) & 1 = 1 AND ($policy IS NULL OR p.policy_id = $policy)
),
tagged AS MATERIALIZED (
    SELECT p.member, CAST(p.tier AS BIGINT) AS tier, e.sent_at
    FROM core.message_party p
    JOIN core.message e ON e.id = p.message
    WHERE p.tier IN (SELECT tier FROM paying)
        AND ($member IS NULL OR p.member IN (SELECT id FROM core.member WHERE text = $member))
),
counted AS MATERIALIZED (
    SELECT t.member, t.tier, y.policy_id, count(*) AS messages, min(t.sent_at) AS first_at,
        max(t.sent_at) AS last_at
    FROM tagged t
    JOIN paying y ON y.tier = t.tier AND t.sent_at >= y.from_at AND t.sent_at < y.until_at
    GROUP BY ALL
)
SELECT m.text AS member_id, core.tier_label(c.tier) AS tier, c.policy_id, c.messages, c.first_at,
    c.last_at
FROM counted c
JOIN core.member m ON m.id = c.member
ORDER BY member_id, tier, policy_id
