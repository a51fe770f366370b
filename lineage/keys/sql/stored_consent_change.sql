-- The consent changes numbered in `given`, in the columns of a batch.
SELECT h.n AS row, i.id AS change_id, m.text AS member_id, core.purpose_label(h.purpose) AS purpose,
    h.granted, core.basis_label(h.basis) AS basis, h.effective_at
FROM given c
JOIN core.consent_change h USING (n)
JOIN core.identity i USING (n)
JOIN core.member m ON m.n = h.member
