-- Who consented to what, wherever a message went?
--
-- Each arrival of the message with each of its parties, and what the party consented to as of it;
-- since when is null where the tag on the message says it.
--
-- $message (text): Id of the message.
SELECT arrived_at, dataset, record_id, role, member_id, ai_training_consent, ai_training_changed_at,
    third_party_consent, third_party_changed_at, hop_id
FROM party_consent
WHERE message_id = $message
ORDER BY arrived_at, dataset, record_id, hop_id, role DESC, member_id
