-- The schemas that a client attaches: of two with a view of one name, it could not say which it means.
SELECT current_database() AS catalog_name, 'main' AS schema_name;
