-- What each table, column and macro means, for those who ask in SQL.

COMMENT ON VIEW message IS 'What members sent; never its text. One row a message';
COMMENT ON COLUMN message.message_id IS 'Id of the message';
COMMENT ON COLUMN message.channel IS 'INMAIL, DIRECT or GROUP';
COMMENT ON COLUMN message.dataset IS 'Origin: the dataset in which the message was born as the record message_id';
COMMENT ON COLUMN message.sent_at IS 'When it was sent, UTC';

COMMENT ON VIEW message_party IS 'Who sent and who received a message, with the tags of that moment. One row a party';
COMMENT ON COLUMN message_party.message_id IS 'Id of the message';
COMMENT ON COLUMN message_party.role IS 'SENDER (exactly one) or RECIPIENT';
COMMENT ON COLUMN message_party.member_id IS 'Id of the member';
COMMENT ON COLUMN message_party.tier IS 'FREE, PREMIUM_CAREER, PREMIUM_BUSINESS, SALES_NAVIGATOR or RECRUITER';
COMMENT ON COLUMN message_party.region IS 'ISO 3166 alpha-2 code';
COMMENT ON COLUMN message_party.ai_training_consent IS 'The tag on the message; a consent change can say otherwise later';
COMMENT ON COLUMN message_party.third_party_consent IS 'The tag on the message; a consent change can say otherwise later';

COMMENT ON VIEW hop IS 'Jobs that moved records from a source to a target dataset. One row a hop';
COMMENT ON COLUMN hop.hop_id IS 'Id of the hop';
COMMENT ON COLUMN hop.run_id IS 'Id of the run of the job';
COMMENT ON COLUMN hop.job IS 'Name of the job';
COMMENT ON COLUMN hop.operation IS 'COPY, TRANSFORM, JOIN, AGGREGATE, ANONYMIZE, EMBED, TRAIN, EXPORT or READ';
COMMENT ON COLUMN hop.source IS 'Dataset that was read';
COMMENT ON COLUMN hop.target IS 'Dataset that was written';
COMMENT ON COLUMN hop.declass_method IS 'Claimed method of declassification, null for none; whether it counts is for the policy in force';
COMMENT ON COLUMN hop.declass_k IS 'The k of that method';
COMMENT ON COLUMN hop.moved_at IS 'When it moved, UTC';

COMMENT ON VIEW hop_record IS 'What a hop read and wrote. One row a hop, side and record; a hop without OUTPUT rows kept the ids of its inputs';
COMMENT ON COLUMN hop_record.hop_id IS 'Id of the hop';
COMMENT ON COLUMN hop_record.side IS 'INPUT: a record in the source; OUTPUT: a record in the target';
COMMENT ON COLUMN hop_record.record_id IS 'Id of the record';

COMMENT ON VIEW dataset IS 'Declarations of datasets. One row a declaration; a dataset that is not here is undeclared';
COMMENT ON COLUMN dataset.dataset IS 'Name of the dataset';
COMMENT ON COLUMN dataset.kind IS 'TOPIC, TABLE, FEATURE_STORE, TRAINING_CORPUS, MODEL or SINK';
COMMENT ON COLUMN dataset.party IS 'FIRST or THIRD: whose it is';
COMMENT ON COLUMN dataset.recipient IS 'The named third party, or null';
COMMENT ON COLUMN dataset.declared_at IS 'From when it holds, UTC; the earliest one of a dataset holds before it too';

COMMENT ON VIEW consent_change IS 'What members (or a default, or a policy) said about their consents. One row a change';
COMMENT ON COLUMN consent_change.change_id IS 'Id of the change';
COMMENT ON COLUMN consent_change.member_id IS 'Id of the member';
COMMENT ON COLUMN consent_change.purpose IS 'AI_TRAINING or THIRD_PARTY';
COMMENT ON COLUMN consent_change.granted IS 'true: granted; false: refused, which wins at the same instant';
COMMENT ON COLUMN consent_change.basis IS 'MEMBER, DEFAULT or POLICY: whose word it is';
COMMENT ON COLUMN consent_change.effective_at IS 'From when it holds, UTC';

COMMENT ON VIEW policy IS 'Published policies. One row a policy; before the first, the built-in policy (policy_id built-in) holds';
COMMENT ON COLUMN policy.policy_id IS 'Id of the policy';
COMMENT ON COLUMN policy.effective_at IS 'From when it holds, UTC';
COMMENT ON COLUMN policy.disclosed_at IS 'When it was disclosed, UTC; null: never';
COMMENT ON COLUMN policy.document IS 'Its text, YAML';

COMMENT ON VIEW arrival IS 'Where messages went: one row for the origin of each message, and one for each message, hop and target record';
COMMENT ON COLUMN arrival.message_id IS 'Id of the message';
COMMENT ON COLUMN arrival.hop_id IS 'The hop that carried it; null at the origin';
COMMENT ON COLUMN arrival.dataset IS 'Where it arrived';
COMMENT ON COLUMN arrival.record_id IS 'The record that holds it there';
COMMENT ON COLUMN arrival.operation IS 'That of the hop; SEND at the origin';
COMMENT ON COLUMN arrival.arrived_at IS 'moved_at of the hop, sent_at at the origin; UTC';
COMMENT ON COLUMN arrival.identifiable IS 'false: declassified on the way, by the policy then in force';

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

COMMENT ON VIEW flag IS 'Rules broken: one row a rule, message and dataset, as it stands now';
COMMENT ON COLUMN flag.rule IS 'Id of the rule';
COMMENT ON COLUMN flag.severity IS 'LOW, MEDIUM, HIGH or CRITICAL, by the policy of the first breach';
COMMENT ON COLUMN flag.message_id IS 'Id of the message';
COMMENT ON COLUMN flag.dataset IS 'Where the rule was broken';
COMMENT ON COLUMN flag.policy_id IS 'The policy of the first breach';
COMMENT ON COLUMN flag.first_at IS 'The first breach, UTC';
COMMENT ON COLUMN flag.last_at IS 'The last breach, UTC';
COMMENT ON COLUMN flag.arrivals IS 'How many arrivals broke it';
COMMENT ON COLUMN flag.first_hop IS 'The hop of the first breach (ties: the smaller id); null for the origin';

COMMENT ON VIEW flag_history IS 'Every raising and clearing of a flag, in the order in which the tracker found it. The other columns are those of the flag then';
COMMENT ON COLUMN flag_history.seq IS '1, 2, 3 …';
COMMENT ON COLUMN flag_history.status IS 'RAISED or CLEARED';
COMMENT ON COLUMN flag_history.rule IS 'Id of the rule';
COMMENT ON COLUMN flag_history.severity IS 'LOW, MEDIUM, HIGH or CRITICAL';
COMMENT ON COLUMN flag_history.message_id IS 'Id of the message';
COMMENT ON COLUMN flag_history.dataset IS 'Where the rule was broken';
COMMENT ON COLUMN flag_history.policy_id IS 'The policy of the first breach';
COMMENT ON COLUMN flag_history.first_at IS 'The first breach, UTC';
COMMENT ON COLUMN flag_history.last_at IS 'The last breach, UTC';
COMMENT ON COLUMN flag_history.arrivals IS 'How many arrivals broke it';
COMMENT ON COLUMN flag_history.first_hop IS 'The hop of the first breach; null for the origin';
COMMENT ON COLUMN flag_history.recorded_at IS 'When the tracker recorded it, UTC; null if it was not told';

COMMENT ON VIEW conflict IS 'Events of which two or more versions came under one id. One row a version';
COMMENT ON COLUMN conflict.event IS 'Type of the event, as MessageSent';
COMMENT ON COLUMN conflict.event_id IS 'The id they share';
COMMENT ON COLUMN conflict.sha256 IS 'SHA-256 of the canonical JSON, hex';
COMMENT ON COLUMN conflict.content IS 'The canonical JSON';
COMMENT ON COLUMN conflict.counts IS 'true for the version that counts: the smallest sha256';

COMMENT ON VIEW dead_letter IS 'What could not be decoded or breaks the contract. Never its bytes, which could hold text of a message';
COMMENT ON COLUMN dead_letter.source IS 'Topic or file that it was read from';
COMMENT ON COLUMN dead_letter.partition IS 'Partition of the topic; 0 for a file';
COMMENT ON COLUMN dead_letter.position IS 'Offset in the partition; line or record of the file, from 1';
COMMENT ON COLUMN dead_letter.reason IS 'What was wrong and what would be right';
COMMENT ON COLUMN dead_letter.sha256 IS 'SHA-256 of the bytes, hex';
COMMENT ON COLUMN dead_letter.recorded_at IS 'When the tracker recorded it, UTC; null if it was not told';

COMMENT ON VIEW ingest_position IS 'How far each partition has been recorded, together with what it held';
COMMENT ON COLUMN ingest_position.topic IS 'Kafka topic';
COMMENT ON COLUMN ingest_position.partition IS 'Partition of the topic';
COMMENT ON COLUMN ingest_position.next_offset IS 'The offset to go on from';

COMMENT ON VIEW ingest_topic IS 'The topics that ingest_position is of, beyond their names';
COMMENT ON COLUMN ingest_topic.topic IS 'Kafka topic';
COMMENT ON COLUMN ingest_topic.cluster_id IS 'Id of the Kafka cluster that it is in';
COMMENT ON COLUMN ingest_topic.topic_id IS 'Id that Kafka gave it; another once it is deleted and made anew';

COMMENT ON MACRO TABLE route IS 'The way of one message: a row for each arrival and each record that it came from';
COMMENT ON MACRO TABLE upstream IS 'What flowed into a record: a row for each hop that brought something nearer to it';
COMMENT ON MACRO TABLE downstream IS 'Where a record flowed: a row for each hop that carried it, or what came of it, further on';
