-- A line for each consent change.
SELECT to_json([
    change_id, member_id, purpose, CAST(granted AS VARCHAR), basis,
    CAST(epoch_us(effective_at) AS VARCHAR)]) AS line
FROM consent_change
