-- Tables that are not in the model: the keys of texts, and spans derived from declarations and
-- policies. Every id is stored once, and is a key everywhere else; the other columns are values and
-- codes, the places of their labels, which the macros core.channel_label and so on give (codes.sql).
-- No table has an index: rows come nearly in the order of time, so that zone maps (the minimum and
-- maximum of each row group) let a batch skip all of history that it does not concern.

CREATE SCHEMA IF NOT EXISTS core;

-- notes: how many digests were noted; note_holds: whether the last one holds.
CREATE TABLE core.format (program VARCHAR, version INTEGER, notes INTEGER, note_holds BOOLEAN);

CREATE TYPE core.severity AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL');
-- UPDATED: a standing flag with other values, which is published, but is no part of the view.
CREATE TYPE core.status AS ENUM ('RAISED', 'CLEARED', 'UPDATED');

-- Ids of messages, records, hops, runs and the other events. A canonical UUID is stored in 16
-- bytes, uncompressed: compressed it would take 12, as most of it is random, and decompressing
-- takes far longer than looking it up.
CREATE TABLE core.identifier (id BIGINT, uuid UUID USING COMPRESSION uncompressed, text VARCHAR);
-- No UUIDv7 in core.identifier begins with 64 bits that are more than these.
CREATE TABLE core.latest_uuid (head UBIGINT);
INSERT INTO core.latest_uuid VALUES (0);
CREATE TABLE core.dataset_name (id BIGINT, text VARCHAR);
CREATE TABLE core.member (id BIGINT, text VARCHAR);
-- The partitions of topics, and the files, that events were read from.
CREATE TABLE core.origin (id INTEGER, source VARCHAR, partition INTEGER);

CREATE TABLE core.policy_method (policy BIGINT, method VARCHAR, min_k BIGINT);
-- expression: the rule as DuckDB spells it after the check of its syntax tree.
CREATE TABLE core.policy_rule (
    policy BIGINT, ordinal INTEGER, rule VARCHAR, severity core.severity, expression VARCHAR,
    facts VARCHAR[]);

-- The spans in which a policy, and a declaration of a dataset, is in force.
CREATE TABLE core.policy_span (
    policy BIGINT, from_at TIMESTAMP, until_at TIMESTAMP, disclosed_at TIMESTAMP);
CREATE TABLE core.declaration_span (
    declaration BIGINT, dataset INTEGER, from_at TIMESTAMP, until_at TIMESTAMP);

-- The last seq of core.flag_history that is known to have been published.
CREATE TABLE core.outbox (published BIGINT);
INSERT INTO core.outbox VALUES (0);
-- The last seq of core.flag_history that each receiver of alerts is known to have.
CREATE TABLE core.alert_target (name VARCHAR, seq BIGINT);
