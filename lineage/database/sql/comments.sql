-- The meaning of the macros, and of views that are more than a table.

COMMENT ON VIEW hop_record IS 'What a hop read and wrote. One row a hop, side and record; a hop without OUTPUT rows kept the ids of its inputs';
COMMENT ON COLUMN hop_record.hop_id IS 'Id of the hop';
COMMENT ON COLUMN hop_record.side IS 'INPUT: a record in the source; OUTPUT: a record in the target';
COMMENT ON COLUMN hop_record.record_id IS 'Id of the record';

COMMENT ON VIEW event_origin IS 'Where each event was read, and when. Of an event that came again the first time, of one in conflict that of the version that counts. One row an event';
COMMENT ON COLUMN event_origin.event IS 'Type of the event, as MessageSent';
COMMENT ON COLUMN event_origin.event_id IS 'Id of the event';
COMMENT ON COLUMN event_origin.source IS 'Topic or file that it was read from; apply: from Python';
COMMENT ON COLUMN event_origin.partition IS 'Partition of the topic; 0 for a file';
COMMENT ON COLUMN event_origin.position IS 'Offset in the partition; line or record of the file, from 1; place in the list, from 0';
COMMENT ON COLUMN event_origin.recorded_at IS 'When the tracker recorded it, UTC; null if it was not told';

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

COMMENT ON VIEW party_consent IS 'What each party of a message consented to as of each arrival: by the latest change of the member, else by the tag on the message. One row an arrival and party';
COMMENT ON COLUMN party_consent.message_id IS 'Id of the message';
COMMENT ON COLUMN party_consent.hop_id IS 'The hop that carried it; null at the origin';
COMMENT ON COLUMN party_consent.dataset IS 'Where it arrived';
COMMENT ON COLUMN party_consent.record_id IS 'The record that holds it';
COMMENT ON COLUMN party_consent.arrived_at IS 'The instant as of which all this is said, UTC';
COMMENT ON COLUMN party_consent.role IS 'SENDER or RECIPIENT';
COMMENT ON COLUMN party_consent.member_id IS 'Id of the member';
COMMENT ON COLUMN party_consent.ai_training_consent IS 'This party consents to AI training';
COMMENT ON COLUMN party_consent.ai_training_changed_at IS 'Since when, by a change of consent, UTC; null: by the tag on the message';
COMMENT ON COLUMN party_consent.third_party_consent IS 'This party consents to third parties';
COMMENT ON COLUMN party_consent.third_party_changed_at IS 'Since when, by a change of consent, UTC; null: by the tag on the message';

COMMENT ON VIEW unmatched_input IS 'Inputs of hops that held no message at the hop''s instant, so that nothing went on from them. One row a hop and record. A dataset that no message ever was in usually holds records of other things';
COMMENT ON COLUMN unmatched_input.hop_id IS 'Id of the hop';
COMMENT ON COLUMN unmatched_input.run_id IS 'Id of the run of the job';
COMMENT ON COLUMN unmatched_input.job IS 'Name of the job';
COMMENT ON COLUMN unmatched_input.source IS 'Dataset that was read';
COMMENT ON COLUMN unmatched_input.record_id IS 'Id of the record that was read';
COMMENT ON COLUMN unmatched_input.moved_at IS 'When it moved, UTC';
COMMENT ON COLUMN unmatched_input.reason IS 'SEEN_LATER: messages were in the record only after; SPELLED_LIKE: never, but in one whose dataset and id differ in case, prefix or Unicode form alone; NEVER_SEEN';
COMMENT ON COLUMN unmatched_input.seen_at IS 'When a message first was in the record, UTC: how far a clock is off, or how late an event; null if never';

COMMENT ON MACRO TABLE route IS 'The way of one message: a row for each arrival and each record that it came from';
COMMENT ON MACRO TABLE upstream IS 'What flowed into a record: a row for each hop that brought something nearer to it';
COMMENT ON MACRO TABLE downstream IS 'Where a record flowed: a row for each hop that carried it, or what came of it, further on';
