-- Record the batch's new messages.
INSERT INTO core.message SELECT n, channel, ds, sent_at FROM given
