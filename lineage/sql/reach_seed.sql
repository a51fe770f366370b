-- Where do the batch's new messages begin?
INSERT INTO frontier SELECT n, 0, ds, n, 'SEND', sent_at, true, 'NEW' FROM fresh_message
