-- The tables that a client attaches: the views, with their columns. A client asks a table for the
-- columns that it needs; of a view it would ask all, and would have it answered to learn its columns.
SELECT schema_name,
    format('CREATE TABLE {} ({})', '"' || table_name || '"',
        string_agg(format('"{}" {}', column_name, data_type), ', ' ORDER BY column_index)) AS sql,
    'table' AS kind
FROM duckdb_columns()
WHERE schema_name = 'main' AND NOT internal AND database_name = current_database()
GROUP BY schema_name, table_name
ORDER BY table_name;
