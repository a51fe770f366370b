-- The messages with the keys in braces: as constants they are found by zone maps, spread as they are.
SELECT e.id AS message, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS message_id, e.sent_at,
    core.channel_label(e.channel) AS channel, n.text AS dataset
FROM (FROM core.message WHERE id IN ({keys})) e
JOIN (FROM core.identifier WHERE id IN ({keys})) i ON i.id = e.id
JOIN core.dataset_name n ON n.id = e.dataset
ORDER BY e.sent_at DESC, message_id
