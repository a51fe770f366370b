"""Questions in SQL: what analysts ask, and what attackers would."""

from __future__ import annotations

HARMLESS = [
    # what there is
    "SHOW TABLES", "SHOW ALL TABLES", "SHOW TABLES FROM core", "SHOW flag", "SHOW DATABASES",
    "DESCRIBE flag", "DESC arrival", "DESCRIBE core.arrival", "DESCRIBE SELECT * FROM flag",
    "SUMMARIZE flag", "SUMMARIZE FROM arrival SELECT dataset", "FROM (DESCRIBE hop)",
    "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal",
    "SELECT table_name FROM duckdb_tables()", "FROM duckdb_columns() LIMIT 1",
    "SELECT function_name FROM duckdb_functions() WHERE function_name = 'route'",
    "SELECT name FROM pragma_table_info('flag')", "FROM information_schema.columns LIMIT 1",
    "SELECT table_name FROM information_schema.tables", "SELECT name FROM sqlite_master",
    "SELECT current_setting('memory_limit'), current_setting('threads')",
    "SELECT version(), current_database(), current_schema(), typeof(1)",
    # plain
    "FROM flag", "TABLE flag", "VALUES (1, 'a'), (2, 'b')", "SELECT 1;", "SELECT 1 -- why not",
    "/* how many? */ SELECT count(*) FROM arrival", "SELECT * EXCLUDE (hop_id) FROM arrival",
    "SELECT * REPLACE (upper(dataset) AS dataset) FROM arrival",
    "SELECT COLUMNS('.*_id') FROM arrival", "SELECT COLUMNS(c -> c LIKE '%_id') FROM arrival",
    "SELECT min(COLUMNS(*)) FROM arrival", "SELECT a.* FROM arrival a LIMIT 1",
    "SELECT main.arrival.dataset FROM main.arrival", "SELECT dataset AS d, d || '!' FROM arrival",
    "FROM arrival ORDER BY ALL LIMIT 5 OFFSET 1 - 1", "FROM arrival LIMIT 50%",
    "FROM arrival USING SAMPLE 10 ROWS", "FROM arrival TABLESAMPLE 100%",
    "SELECT DISTINCT ON (dataset) * FROM arrival ORDER BY dataset, arrived_at DESC",
    "SELECT $1::VARCHAR, $2 + 1", "SELECT ?::VARCHAR, ? + 1",
    # conditions and cases
    "SELECT CASE channel WHEN 'INMAIL' THEN 1 WHEN 'GROUP' THEN 2 ELSE 3 END FROM message",
    "SELECT CASE WHEN identifiable THEN 'yes' ELSE CASE WHEN true THEN 'no' END END FROM arrival",
    "SELECT if(identifiable, 1, 0), ifnull(hop_id, '-'), nullif(dataset, 'x') FROM arrival",
    "SELECT count(*) FROM arrival WHERE arrived_at BETWEEN '2024-01-01' AND '2024-12-31'",
    "SELECT count(*) FROM arrival WHERE dataset IN ('lake', 'inbox') AND hop_id IS NOT NULL",
    "SELECT count(*) FROM arrival WHERE dataset LIKE 'la%' OR dataset ILIKE '%KE%'",
    "SELECT count(*) FROM arrival WHERE dataset SIMILAR TO 'l.*' OR dataset GLOB 'l*'",
    "SELECT count(*) FROM arrival WHERE regexp_matches(dataset, '^l(a|b)')",
    "SELECT count(*) FROM arrival WHERE NOT identifiable OR operation IS DISTINCT FROM 'SEND'",
    "SELECT count(*) FROM arrival WHERE (dataset, operation) IN (('lake', 'COPY'))",
    # groups
    "SELECT dataset, count(*) FROM arrival GROUP BY ALL ORDER BY 2 DESC, 1",
    "SELECT dataset, operation, count(*), grouping(dataset) FROM arrival"
    " GROUP BY GROUPING SETS ((dataset), (operation), ())",
    "SELECT dataset, operation, count(*) FROM arrival GROUP BY CUBE (dataset, operation)",
    "SELECT dataset, operation, count(*) FROM arrival GROUP BY ROLLUP (dataset, operation)",
    "SELECT dataset FROM arrival GROUP BY dataset HAVING count(DISTINCT message_id) > 0",
    "SELECT count(*) FILTER (WHERE identifiable), bool_and(identifiable) FROM arrival",
    "SELECT string_agg(DISTINCT dataset, ', ' ORDER BY dataset) FROM arrival",
    "SELECT quantile_cont(arrivals, [0.5, 0.9]), median(arrivals), mode(rule), mad(arrivals),"
    " stddev(arrivals), approx_count_distinct(message_id) FROM flag",
    "SELECT max_by(dataset, arrived_at), arg_min(dataset, arrived_at, 2) FROM arrival",
    "SELECT histogram(dataset), list(dataset ORDER BY dataset), any_value(dataset) FROM arrival",
    "SELECT approx_top_k(dataset, 3), entropy(dataset), product(2), sum(1.5) FROM arrival",
    # windows
    "SELECT row_number() OVER (PARTITION BY message_id ORDER BY arrived_at) FROM arrival",
    "SELECT lag(dataset) OVER w, lead(dataset, 1, '-') OVER w, first_value(dataset) OVER w,"
    " ntile(4) OVER w FROM arrival WINDOW w AS (ORDER BY arrived_at)",
    "SELECT sum(1) OVER (ORDER BY arrived_at RANGE BETWEEN INTERVAL 1 DAY PRECEDING"
    " AND CURRENT ROW EXCLUDE TIES) FROM arrival",
    "FROM arrival QUALIFY rank() OVER (PARTITION BY dataset ORDER BY arrived_at) = 1",
    # joins, subqueries, common table expressions
    "FROM hop JOIN hop_record USING (hop_id) LEFT JOIN arrival USING (hop_id, record_id)",
    "FROM flag f SEMI JOIN arrival a USING (message_id, dataset)",
    "FROM message m ANTI JOIN flag f ON f.message_id = m.message_id",
    "FROM arrival a ASOF JOIN policy p ON a.arrived_at >= p.effective_at",
    "FROM message m, LATERAL (SELECT count(*) AS n FROM arrival a"
    " WHERE a.message_id = m.message_id)",
    "SELECT (SELECT count(*) FROM arrival a WHERE a.message_id = m.message_id) FROM message m",
    "FROM message m WHERE EXISTS (FROM flag f WHERE f.message_id = m.message_id) OR true",
    "SELECT 1 WHERE 1 = ANY (SELECT 1) AND 1 > ALL (SELECT 0) AND 1 IN (SELECT 1)",
    "WITH a AS (FROM arrival), b AS MATERIALIZED (FROM a) SELECT count(*) FROM a, b",
    "WITH RECURSIVE way(record, depth, path) AS (SELECT 'm', 0, ['m'] UNION ALL"
    " SELECT r.record_id, depth + 1, list_append(path, r.record_id) FROM way"
    " JOIN hop_record r ON r.record_id = way.record WHERE depth < 3) FROM way",
    "SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 EXCEPT SELECT 3 UNION ALL BY NAME SELECT 4 AS x",
    # our macros
    "FROM route('m')", "FROM main.route((SELECT min(message_id) FROM message))",
    "FROM upstream('lake', 'm')", "FROM downstream('inbox', 'm')",
    "SELECT r.dataset FROM message, route('m') r", "FROM core.number_of('m')",
    "SELECT core.channel_word(channel) FROM core.message",
    "SELECT core.operation_code('COPY'), 'HIGH'::core.severity",
    # text
    "SELECT lower(dataset), upper(dataset), trim(dataset), length(dataset), reverse(dataset),"
    " replace(dataset, '.', '/'), substr(dataset, 1, 3), left(dataset, 2), dataset[1:2],"
    " split_part(dataset, '.', 1), string_split(dataset, '.'), starts_with(dataset, 'l'),"
    " contains(dataset, 'k'), concat_ws('/', dataset, record_id), lpad('1', 5, '0'),"
    " format('{:>10} {}', dataset, 1), printf('%05d', 42), repeat('-', 20), dataset.upper(),"
    " regexp_extract(dataset, '(l)(a)', 1), regexp_replace(dataset, 'a', 'b', 'g'), md5(dataset),"
    " sha256(dataset), strip_accents(dataset), bar(1, 0, 10, 20), hash(dataset),"
    " levenshtein(left(dataset, 100), 'lake'), translate(dataset, 'a', 'b'), ascii('a'), chr(65)"
    " FROM arrival",
    "SELECT record_id COLLATE NOCASE FROM arrival ORDER BY ALL",
    # numbers
    "SELECT 7 // 2, 7 % 2, 2 ** 3, -1, 5!, ~1, 1 << 3, round(1.25, 1), ceil(1.5), abs(-1), sqrt(2),"
    " ln(2), greatest(1, 2), least(1, 2), random() < 2, pi(), 1e3, 0x1F, 170141183460469231731687",
    "SELECT 1.50::DECIMAL(4, 2), 'x'::BLOB, '1'::INTEGER, TRY_CAST('a' AS INTEGER), TRY(1 / 0),"
    " '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID, 1::BIT, [1]::DOUBLE[], 'a'::ENUM('a', 'b')",
    # instants
    "SELECT arrived_at::DATE, date_trunc('day', arrived_at), extract(year FROM arrived_at),"
    " date_part('hour', arrived_at), strftime(arrived_at, '%Y-%m-%d'), arrived_at - INTERVAL 1 DAY,"
    " age(arrived_at), epoch_ms(arrived_at), dayname(arrived_at), now() > arrived_at,"
    " time_bucket(INTERVAL '1 week', arrived_at), date_diff('day', arrived_at, current_date),"
    " arrived_at AT TIME ZONE 'Europe/Berlin', strptime('2024', '%Y'), make_date(2024, 1, 1),"
    " TIMESTAMP '2024-01-01' + to_days(3), last_day(DATE '2024-02-01') FROM arrival",
    "SELECT day, count(a.message_id) FROM generate_series(DATE '2024-09-01', DATE '2024-09-30',"
    " INTERVAL 1 DAY) t(day) LEFT JOIN arrival a ON a.arrived_at::DATE = day GROUP BY ALL",
    "SELECT unnest(generate_series(DATE '2024-09-01', DATE '2024-09-30', INTERVAL 1 DAY))",
    "SELECT i FROM range(100) t(i)", "SELECT range(10), unnest(range(3))",
    # lists, structs, maps, JSON
    "SELECT list_transform([1, 2], x -> x + 1), list_filter([1, 2], lambda x: x > 1),"
    " [x * 2 FOR x IN [1, 2] IF x > 1], list_reduce(['a', 'b'], (a, b) -> a || ',' || b),"
    " list_sort([2, 1]), list_contains([1], 1), len([1]), list_aggregate([1, 2], 'sum'),"
    " list_distinct([1, 1]), flatten([[1]]), [1, 2][1], list_zip([1], [2]), [1, 2] && [2]",
    "SELECT {'a': 1, 'b': 'x'}.a, struct_pack(x := 1), row(1, 2), map {'k': 1}['k'],"
    " map_keys(map {'k': 1}), unnest({'a': 1}), struct_extract({'a': 1}, 'a')",
    "SELECT '{\"a\": [1]}'::JSON ->> '$.a[0]', json_extract('{\"a\": 1}', '$.a'), to_json([1]),"
    " json_object('a', 1), json_array_length('[1]'), json_valid('x'), json_type('1'),"
    " json_group_array(1), json_keys('{}')",
    "FROM json_each('{\"a\": 1}')", "SELECT unnest([1, 2]), unnest([{'a': 1}], recursive := true)",
    # turned
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME n VALUE v",
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON COLUMNS(*) INTO NAME n VALUE v",
    "FROM arrival PIVOT (count(*) FOR dataset IN ('lake', 'inbox') GROUP BY operation)",
    "PIVOT arrival ON dataset IN ('lake') USING count(*) GROUP BY operation",
]  # fmt: skip


def nested(outer: str, times: int, inner: str) -> str:
    """Put a text into {} of another, so many times."""
    for _ in range(times):
        inner = outer.replace("{}", inner)
    return inner


_LONG = "(SELECT string_agg(i::VARCHAR, '') FROM range(3000000) t(i))"
_DEEP = "(SELECT string_agg('[', '') || string_agg(']', '') FROM range(3000000))"

HOSTILE = [
    # files read
    "FROM read_text('/etc/passwd')", "FROM read_csv('/etc/passwd')", "FROM '/etc/passwd'",
    "FROM read_blob('/etc/passwd')", "FROM read_json('x.json')", "FROM read_parquet('x.parquet')",
    "FROM parquet_metadata('x.parquet')", "FROM glob('/*')", "FROM sniff_csv('/etc/passwd')",
    "FROM \"x.csv\"", "FROM 'https://example.org/x.csv'", "DESCRIBE 'x.csv'", "SUMMARIZE 'x.csv'",
    "FROM read_duckdb('x.duckdb')", "SELECT (FROM '/etc/hostname')", "FROM pragma_table_info('x.csv')",
    "FROM flag, LATERAL (FROM read_text('/etc/passwd'))", "FROM read_ndjson_objects('x')",
    "WITH x AS (FROM read_text('/etc/passwd')) SELECT 1", "SELECT EXISTS (FROM 'x.parquet')",
    # files written, and what acts
    "FROM enable_profiling(save_location='/tmp/q/profile.json')", "FROM disable_profiling()",
    "FROM enable_logging(storage='file', storage_path='/tmp/q/log')", "FROM truncate_duckdb_logs()",
    "FROM disable_logging()", "SELECT write_log('x')", "FROM checkpoint()", "FROM force_checkpoint()",
    "SELECT setseed(0.5)", "SELECT nextval('s')", "SELECT sleep_ms(1000000)", "SELECT pg_sleep(1000)",
    "COPY flag TO '/tmp/q/x.csv'", "EXPORT DATABASE '/tmp/q/x'", "CREATE TABLE x AS SELECT 1",
    "EXPLAIN ANALYZE SELECT 1", "DELETE FROM core.flag", "CALL checkpoint()", "PRAGMA force_checkpoint",
    # settings, the environment, extensions, other databases, SQL from text
    "SELECT getenv('HOME')", "SELECT current_setting('secret_directory')", "FROM duckdb_settings()",
    "SELECT current_setting(dataset) FROM arrival", "SET threads = 64", "PRAGMA threads = 64",
    "FROM duckdb_secrets()", "FROM which_secret('x', 's3')", "FROM duckdb_logs()", "FROM duckdb_logs",
    "FROM duckdb_variables()", "SELECT getvariable('x')", "FROM pg_catalog.pg_settings",
    "FROM duckdb_temporary_files()", "FROM duckdb_extensions()", "LOAD httpfs", "INSTALL httpfs",
    "ATTACH 'x.duckdb'", "FROM other.main.flag", "FROM temp.main.flag", "USE memory",
    "FROM query('SELECT 1')", "FROM query_table('flag')", "FROM json_execute_serialized_sql('{}')",
    "SELECT json_serialize_sql('SELECT 1')", "PRAGMA table_info('flag')", "FROM histogram(flag, rule)",
    # native code, and what crashes
    "FROM pandas_scan(NULL)", "FROM arrow_scan(NULL, NULL, NULL)", "FROM arrow_scan_dumb(1, 2, 3)",
    "FROM python_map_function(NULL)", "FROM seq_scan('flag')", "SELECT finalize(1)", "FROM test_all_types()",
    f"SELECT json_structure({_DEEP})", f"SELECT json_contains({_DEEP}, '1')", f"SELECT {_DEEP}::JSON::VARIANT",
    f"SELECT {_DEEP}::JSON::\"VARIANT\"", "SELECT reservoir_quantile(i, 0.5, 1000000000) FROM range(9) t(i)",
    f"SELECT json_merge_patch({_DEEP}, '{{}}')", "SELECT vector_type(1)", "SELECT create_sort_key(1, 'ASC')",
    "SELECT sum(1) EXPORT_STATE", "SELECT main.getenv('HOME')", "SELECT 'HOME'.getenv()",
    "SELECT list_transform(['x'], x -> getenv(x))", "SELECT [getvariable(x) FOR x IN ['x']]",
    "SELECT first(1 ORDER BY getvariable('x'))", "SELECT sum(1) FILTER (WHERE sleep_ms(9) IS NULL)",
    "SELECT sum(1) OVER (ORDER BY sleep_ms(9))", "SELECT sum(1) OVER w FROM flag WINDOW w AS (ORDER BY sleep_ms(9))",
    "FROM flag ORDER BY sleep_ms(9)", "FROM flag LIMIT sleep_ms(9)", "SELECT * REPLACE (sleep_ms(9) AS rule) FROM flag",
    "VALUES (sleep_ms(9))", "FROM range(sleep_ms(9))", "SELECT 1 QUALIFY sleep_ms(9)", "SELECT 1 GROUP BY sleep_ms(9)",
    "FROM arrival JOIN flag ON sleep_ms(9)", "SELECT CASE WHEN true THEN sleep_ms(9) END",
    "FROM flag PIVOT (max(sleep_ms(9)) FOR rule IN ('x'))", "SELECT list_aggregate([1], 'reservoir_quantile')",
    "SELECT 1::INTEGER[100000][100000]", "PIVOT flag ON rule USING count(*)", "FROM flag AT (VERSION => 1)",
    "SELECT list_aggregate([1], dataset) FROM arrival", "SELECT 'x'::foo", "SELECT geometry 'POINT(1 1)'",
    # memory
    "SELECT printf('%1000000000d', 1)", "SELECT format('{:1000000000}', 1)", "SELECT printf('%*d', 1000000000, 1)",
    "SELECT format('{:{}}', 1, 1000000000)", "SELECT printf(dataset) FROM arrival", "SELECT repeat('x', 1000000000)",
    "SELECT repeat(dataset, 1000) FROM arrival", "SELECT 'x'.repeat(1000000000)", "SELECT repeat([1], 1000000000)",
    "SELECT lpad('x', 1000000000, 'y')", "SELECT dataset.rpad(1000000000, 'y') FROM arrival",
    "SELECT list_resize([1], 1000000000)", "SELECT range(1000000000)", "SELECT unnest(range(1000000000))",
    "SELECT generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2100-01-01', INTERVAL 1 SECOND)",
    "SELECT range(n) FROM core.hop", "SELECT bitstring('1', 2000000000)", "SELECT bitstring_agg(n, 0, 4000000000) FROM core.hop",
    "SELECT approx_top_k(n, 900000) FROM core.hop", "FROM repeat('x', 1000000000000)", "FROM repeat_row(1, num_rows=9)",
    "SELECT equi_width_bins(0, 100000000, 1000000, false)", "FROM arrival USING SAMPLE 1000000000 ROWS",
    "SELECT strftime(now(), repeat('%c', 10000000))", f"SELECT {nested('replace({}, $$a$$, $$aa$$)', 30, 'dataset')} FROM arrival",
    f"SELECT s FROM {nested('(SELECT s || s AS s FROM {})', 14, '(SELECT dataset AS s FROM arrival)')}",
    "SELECT dataset AS a0" + "".join(f", a{i} || a{i} AS a{i + 1}" for i in range(20)) + " FROM arrival",
    "SELECT list_reduce(range(100), (a, x) -> a || a)", "SELECT list_reduce([['a']], (a, x) -> list_concat(a, a))",
    "WITH c0 AS (SELECT dataset AS s FROM arrival)" + "".join(f", c{i + 1} AS MATERIALIZED (SELECT [s, s] AS s FROM c{i})" for i in range(20)) + " FROM c20",
    f"SELECT {nested('bin({})', 12, 'dataset')} FROM arrival", f"SELECT regexp_replace(dataset, '', '{'x' * 2000}', 'g') FROM arrival",
    # what DuckDB never ends to plan
    f"SELECT {nested('CASE {} WHEN 1 THEN 2 WHEN 3 THEN 4 END', 20, '1')}",
    f"SELECT {nested('({} BETWEEN false AND true)', 40, 'identifiable')} FROM arrival",
    f"SELECT {nested('nullif({}, 2)', 40, 'n')} FROM core.hop", f"SELECT {nested('split_part({}, $$a$$, 1)', 30, 'dataset')} FROM arrival",
    "SELECT 1 AS a0" + "".join(f", a{i} + a{i} AS a{i + 1}" for i in range(40)),
    f"SELECT {nested('(SELECT {})', 40, '1')}", f"FROM {nested('(SELECT *, * FROM {})', 20, 'arrival')}",
    f"SELECT max(a) FROM {nested('(SELECT max(a) AS a FROM {})', 40, '(SELECT 1 AS a)')}",
    "WITH c0 AS (SELECT 1 x)" + "".join(f", c{i + 1} AS NOT MATERIALIZED (SELECT a.x FROM c{i} a, c{i} b)" for i in range(30)) + " FROM c30",
    "WITH c0 AS (SELECT 1 x)" + "".join(f", c{i + 1} AS (SELECT * FROM c{i} a, c{i} b)" for i in range(30)) + " FROM c30",
    "SELECT 1" + " UNION ALL SELECT 1" * 10_000, "SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT " + "NOT " * 20_000 + "true",
    "SELECT 1" + " + 1" * 5000, "SELECT " + "[" * 90 + nested("list_value({})", 90, "1") + "]" * 90,
    "SELECT " + ", ".join(f"sum(n) OVER (ORDER BY n ROWS {i} PRECEDING)" for i in range(5000)) + " FROM core.hop",
    "SELECT " + "sum(n) OVER w, " * 2000 + "1 FROM core.hop WINDOW w AS (PARTITION BY " + "n, " * 2000 + "n)",
    "SELECT count(*) FROM arrival GROUP BY CUBE (" + ", ".join(f"record_id || '{i}'" for i in range(15)) + ")",
    "FROM flag" + ", flag" * 200, "SELECT 1 " + "-- " * 300_000, f"SELECT {nested('list_transform([1], x -> {})', 20, '1')}",
    # what takes long within one call, which no interrupt ends
    f"SELECT levenshtein({_LONG}, {_LONG})", f"SELECT damerau_levenshtein({_LONG}, 'x')", "SELECT jaro_similarity(document, document) FROM policy",
    "SELECT content LIKE '%a%a%_%b' FROM conflict", "SELECT content ILIKE '%a%a%a%a%b' FROM conflict", "SELECT content GLOB '*a*a*a*b' FROM conflict",
    "SELECT like_escape(content, '%a%_%a%$%b', '$') FROM conflict", "SELECT content LIKE content FROM conflict", "SELECT content NOT LIKE '%_' || '%_%a%' FROM conflict",
    "SELECT list_transform(list(n), x -> list_sum(list_transform(list(n), y -> x + y))) FROM core.hop",
    f"FROM json_tree({_DEEP})", f"SELECT json_pretty({_DEEP})",
    "", ";", "-- nothing", "SELECT 1; SELECT 2", "SELECT '\x00'", "SELECT '\ud800'",
]  # fmt: skip

ENDLESS = [
    "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b",
    "SELECT sum(hash(i)) FROM generate_series(1, 9_000_000_000_000_000) t(i)",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM range(1_000_000_000_000) t(i) WHERE regexp_matches(i::VARCHAR, '(1|2)*3$')",
    "SELECT i FROM range(1_000_000_000_000) t(i) WHERE i < 0",
    "SELECT sum(i) OVER (ORDER BY hash(i)) FROM range(100_000_000_000) t(i)",
    "SELECT count(*) FROM range(30_000_000_000) t(i) WHERE i::VARCHAR ILIKE '%9%8%'",
    "SELECT max(levenshtein(left(i::VARCHAR, 20), '123')) FROM range(90_000_000_000) t(i)",
]  # fmt: skip
"""They go on for days, and do not take much memory."""
