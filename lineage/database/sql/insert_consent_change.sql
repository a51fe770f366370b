-- Record the batch's new consent changes.
INSERT INTO core.consent_change
SELECT n, member, purpose, granted, basis, effective_at FROM given
