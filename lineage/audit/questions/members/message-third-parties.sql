-- Did a message ever reach a third party?
--
-- Each arrival of the message in a dataset that was a third party's as of it. No row: none is recorded.
--
-- $message (text): Id of the message.
SELECT recipient, dataset, record_id, arrived_at, operation, identifiable, confidential,
    third_party_consent, policy_id, hop_id
FROM fact
WHERE message_id = $message AND party = 'THIRD'
ORDER BY arrived_at, dataset, record_id, hop_id
