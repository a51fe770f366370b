-- The label of a code, and the code of a label.
CREATE MACRO core.{name}_label(code) AS list_extract({labels}, CAST(code AS BIGINT) + 1);
CREATE MACRO core.{name}_code(label) AS list_position({labels}, label) - 1
