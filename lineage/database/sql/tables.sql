-- What the tracker keeps: every id once (as a number n), everything else in numbers and instants.
-- Nothing here has an index: rows come nearly in the order of time, so that the minimum and
-- maximum of each row group let a batch skip all of history that it does not concern. Channels,
-- roles, tiers, regions, operations, purposes, bases, kinds and parties are codes: the places of
-- their words, which the macros core.channel_label and so on give (words.sql).

CREATE SCHEMA IF NOT EXISTS core;

CREATE TABLE core.format (program VARCHAR, version INTEGER);

CREATE TYPE core.severity AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL');
CREATE TYPE core.status AS ENUM ('RAISED', 'CLEARED');

-- Ids of messages, records, hops, runs and the other events. A canonical UUID is kept in 16 bytes,
-- as it is: packed it would take 12, but most of it is random, and to unpack it takes far longer
-- than to look for it.
CREATE TABLE core.identifier (n BIGINT, uuid UUID USING COMPRESSION uncompressed, text VARCHAR);
-- No UUIDv7 in core.identifier begins with 64 bits that are more than these.
CREATE TABLE core.latest_uuid (head UBIGINT);
INSERT INTO core.latest_uuid VALUES (0);
CREATE TABLE core.dataset_name (n BIGINT, text VARCHAR);
CREATE TABLE core.member (n BIGINT, text VARCHAR);

CREATE TABLE core.message (n BIGINT, channel UTINYINT, ds INTEGER, sent_at TIMESTAMP);
CREATE TABLE core.message_party (
    n BIGINT, ordinal USMALLINT, role UTINYINT, member INTEGER, tier UTINYINT, region USMALLINT,
    ai_training_consent BOOLEAN, third_party_consent BOOLEAN);
-- keeps_id: the hop names no outputs, so its inputs keep their ids in the target. declassifies: the
-- policy in force at moved_at accepts what the hop claims.
CREATE TABLE core.hop (
    n BIGINT, run BIGINT, job VARCHAR, operation UTINYINT, source INTEGER, target INTEGER,
    method VARCHAR, k INTEGER, moved_at TIMESTAMP, keeps_id BOOLEAN, declassifies BOOLEAN);
CREATE TABLE core.hop_input (h BIGINT, rec BIGINT);
CREATE TABLE core.hop_output (h BIGINT, rec BIGINT);
CREATE TABLE core.consent_change (
    n BIGINT, member INTEGER, purpose UTINYINT, granted BOOLEAN, basis UTINYINT,
    effective_at TIMESTAMP);
CREATE TABLE core.declaration (
    n BIGINT, declaration_id VARCHAR, ds INTEGER, kind UTINYINT, party UTINYINT,
    recipient VARCHAR, declared_at TIMESTAMP);
-- n = 0 is the built-in policy.
CREATE TABLE core.policy (
    n BIGINT, policy_id VARCHAR, effective_at TIMESTAMP, disclosed_at TIMESTAMP,
    document VARCHAR, paying_tiers UTINYINT, exempt_regions VARCHAR[]);
CREATE TABLE core.policy_method (policy BIGINT, method VARCHAR, min_k BIGINT);
-- expression: the rule as DuckDB spells it after the check of its syntax tree.
CREATE TABLE core.policy_rule (
    policy BIGINT, ordinal INTEGER, rule VARCHAR, severity core.severity, expression VARCHAR,
    facts VARCHAR[]);

-- When which policy is in force, and which declaration of a dataset holds: derived from the two.
CREATE TABLE core.policy_span (
    policy BIGINT, from_at TIMESTAMP, until_at TIMESTAMP, disclosed_at TIMESTAMP);
CREATE TABLE core.declaration_span (
    declaration BIGINT, ds INTEGER, from_at TIMESTAMP, until_at TIMESTAMP);

-- h = 0: the origin (SEND).
CREATE TABLE core.arrival (
    m BIGINT, h BIGINT, ds INTEGER, rec BIGINT, operation UTINYINT, arrived_at TIMESTAMP,
    identifiable BOOLEAN);
-- Flags are few and often asked for, so they have their ids in words. first_hop: '' for the origin.
CREATE TABLE core.flag (
    rule VARCHAR, severity core.severity, m BIGINT, message_id VARCHAR, ds INTEGER, policy BIGINT,
    first_at TIMESTAMP, last_at TIMESTAMP, arrivals BIGINT, first_hop VARCHAR);
CREATE TABLE core.flag_history (
    seq BIGINT, status core.status, rule VARCHAR, severity core.severity, m BIGINT,
    message_id VARCHAR, ds INTEGER, policy BIGINT, first_at TIMESTAMP, last_at TIMESTAMP,
    arrivals BIGINT, first_hop VARCHAR, recorded_at TIMESTAMP);
-- The last seq of flag_history that is known to have been published.
CREATE TABLE core.outbox (published BIGINT);
INSERT INTO core.outbox VALUES (0);

CREATE TABLE core.conflict (
    event VARCHAR, n BIGINT, sha256 VARCHAR, content VARCHAR, counts BOOLEAN);
CREATE TABLE core.dead_letter (
    source VARCHAR, partition INTEGER, position BIGINT, reason VARCHAR, sha256 VARCHAR,
    recorded_at TIMESTAMP);
CREATE TABLE core.ingest_position (topic VARCHAR, partition INTEGER, next_offset BIGINT);
-- The topics that these positions are of: a topic made anew, or one of another cluster, has others.
CREATE TABLE core.ingest_topic (topic VARCHAR, cluster_id VARCHAR, topic_id VARCHAR);
