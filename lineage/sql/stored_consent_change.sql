-- The consent changes numbered in `colliding`, in the columns of a batch.
SELECT h.n AS row, i.id AS change_id, m.text AS member_id, CAST(h.purpose AS VARCHAR) AS purpose,
    h.granted, CAST(h.basis AS VARCHAR) AS basis, h.effective_at
FROM colliding c
JOIN core.consent_change h USING (n)
JOIN core.identity i USING (n)
JOIN core.member m ON m.n = h.member
