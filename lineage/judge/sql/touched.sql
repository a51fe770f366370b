-- What a batch does to what was there. dirty: messages to derive anew, since a hop or a version of
-- the message is gone or declassifies otherwise. touched: what to judge anew from all arrivals, maybe more than
-- once.
CREATE OR REPLACE TEMP TABLE dirty (m BIGINT);
CREATE OR REPLACE TEMP TABLE touched (m BIGINT, ds INTEGER)
