-- The words of a column of codes, and the code of a word.
CREATE MACRO core.{name}_word(code) AS list_extract({words}, CAST(code AS BIGINT) + 1);
CREATE MACRO core.{name}_code(word) AS list_position({words}, word) - 1
