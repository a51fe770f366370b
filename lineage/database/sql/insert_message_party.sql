-- Record the parties of the batch's new messages.
INSERT INTO core.message_party
SELECT n, ordinal, role, member, tier, region, ai_training_consent, third_party_consent
FROM given
