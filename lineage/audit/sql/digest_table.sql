-- A line for each row of a table.
SELECT to_json([{line}]) AS line
FROM core.{table} t {joins}
{where}
