-- The meaning of the macros, and of views that are more than a table.

COMMENT ON VIEW hop_record IS 'What a hop read and wrote. One row a hop, side and record; a hop without OUTPUT rows kept the ids of its inputs';
COMMENT ON COLUMN hop_record.hop_id IS 'Id of the hop';
COMMENT ON COLUMN hop_record.side IS 'INPUT: a record in the source; OUTPUT: a record in the target';
COMMENT ON COLUMN hop_record.record_id IS 'Id of the record';

COMMENT ON VIEW fact IS 'What rules can ask, as of each arrival. One row an arrival';
COMMENT ON COLUMN fact.message_id IS 'Id of the message';
COMMENT ON COLUMN fact.channel IS 'INMAIL, DIRECT or GROUP';
COMMENT ON COLUMN fact.confidential IS 'InMail with a party on a paying tier of the policy';
COMMENT ON COLUMN fact.exempt_region IS 'A party is in a region that the policy exempts from AI training';
COMMENT ON COLUMN fact.ai_training_consent IS 'Every party consents to AI training';
COMMENT ON COLUMN fact.third_party_consent IS 'Every party consents to third parties';
COMMENT ON COLUMN fact.dataset IS 'Where it arrived';
COMMENT ON COLUMN fact.declared IS 'The dataset has a declaration';
COMMENT ON COLUMN fact.kind IS 'By its declaration; null if undeclared';
COMMENT ON COLUMN fact.party IS 'FIRST or THIRD by its declaration; null if undeclared';
COMMENT ON COLUMN fact.recipient IS 'The named third party by its declaration, or null';
COMMENT ON COLUMN fact.operation IS 'That of the hop; SEND at the origin';
COMMENT ON COLUMN fact.identifiable IS 'false: declassified on the way';
COMMENT ON COLUMN fact.disclosed IS 'The policy had been disclosed';
COMMENT ON COLUMN fact.arrived_at IS 'The instant as of which all this is said, UTC';
COMMENT ON COLUMN fact.hop_id IS 'The hop that carried it; null at the origin';
COMMENT ON COLUMN fact.record_id IS 'The record that holds it';
COMMENT ON COLUMN fact.policy_id IS 'The policy in force';

COMMENT ON MACRO TABLE route IS 'The way of one message: a row for each arrival and each record that it came from';
COMMENT ON MACRO TABLE upstream IS 'What flowed into a record: a row for each hop that brought something nearer to it';
COMMENT ON MACRO TABLE downstream IS 'Where a record flowed: a row for each hop that carried it, or what came of it, further on';
