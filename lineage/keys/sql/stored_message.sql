-- The messages numbered in `given`, in the columns of a batch.
SELECT m.n AS row, i.id AS message_id, core.channel_label(m.channel) AS channel,
    d.text AS dataset, m.sent_at
FROM given c
JOIN core.message m USING (n)
JOIN core.identity i USING (n)
JOIN core.dataset_name d ON d.n = m.ds
