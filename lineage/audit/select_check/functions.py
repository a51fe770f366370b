"""The allowlist of queries: functions, types and relations of DuckDB.

Functions not listed here are refused, whatever a version of DuckDB adds. On the list: functions
that read nothing but their arguments and the tables, whose work and result are bounded by these,
and that an analyst has a use for. `LITERALS` and `SHORT_TEXTS` bound the arguments of those that
could otherwise amplify their input, or take long within one call, where nothing can interrupt them.

Left out are functions that read or write files, settings, the environment, logs, secrets or raw
pointers; that act (checkpoint, sleep, setseed, nextval); that run SQL passed as text (query,
query_table, json_execute_serialized_sql); that crash on deep JSON (json_structure, json_contains,
VARIANT) or take the square of its depth (json_pretty, json_tree); that break the database for good
(reservoir_quantile); that show the inside of DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def names_of(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


AGGREGATES: Final = names_of("""
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
    arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg
    bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop
    covar_samp entropy favg first fsum geomean geometric_mean group_concat histogram
    histogram_exact json_group_array json_group_object kahan_sum kurtosis kurtosis_pop last list
    listagg mad max max_by mean median min min_by mode product quantile quantile_cont
    quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx
    regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sum_no_overflow
    sumkahan var_pop var_samp variance wavg weighted_avg
""")
WINDOWS: Final = names_of("""
    cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank
    rank_dense row_number
""")
_OPERATORS: Final = names_of("""
    + - * / // % ** ^ & | ~ << >> @ !__postfix || ^@ && <@ @> -> ->> <-> <=> ~~ !~~ ~~* !~~* ~~~
""")
_NUMBERS: Final = names_of("""
    abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot
    degrees divide even exp factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor
    isfinite isinf isnan lcm least least_common_multiple lgamma ln log log10 log2 mod multiply
    nextafter nullif pi pow power radians random round round_even roundbankers sign signbit sin
    sinh sqrt subtract tan tanh trunc xor equi_width_bins
""")
_TEXT: Final = names_of("""
    array_to_string array_to_string_comma_default ascii bar base64 bin bit_length char_length
    character_length chr concat concat_ws contains damerau_levenshtein decode editdist3 encode
    ends_with format format_bytes formatreadabledecimalsize formatreadablesize from_base64
    from_binary from_hex hamming hash hex ilike_escape instr jaccard jaro_similarity
    jaro_winkler_similarity lcase left left_grapheme length length_grapheme levenshtein
    like_escape lower lpad ltrim md5 md5_number md5_number_lower md5_number_upper mismatches
    nfc_normalize not_ilike_escape not_like_escape octet_length ord parse_dirname parse_dirpath
    parse_filename parse_formatted_bytes parse_path pg_size_pretty position prefix printf
    regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table repeat replace reverse right
    right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
    string_split string_split_regex string_to_array strip_accents strlen strpos substr substring
    substring_grapheme suffix to_base to_base64 to_binary to_hex translate trim ucase unbin unhex
    unicode upper url_decode url_encode
""")
_INSTANTS: Final = names_of("""
    age ago century current_date current_localtime current_localtimestamp date_add date_diff
    date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
    dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era
    get_current_time get_current_timestamp hour isodow isoyear julian last_day make_date
    make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz microsecond
    millennium millisecond minute month monthname nanosecond normalized_interval now quarter
    second strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries
    to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp
    try_strptime week weekday weekofyear year yearweek uuid_extract_timestamp
""")
_LISTS: Final = names_of("""
    aggregate apply array_aggr array_aggregate array_append array_apply array_cat array_concat
    array_contains array_cosine_distance array_cosine_similarity array_cross_product
    array_distance array_distinct array_dot_product array_extract array_filter array_grade_up
    array_has array_has_all array_has_any array_indexof array_inner_product array_intersect
    array_length array_negative_dot_product array_negative_inner_product array_pop_back
    array_pop_front array_position array_prepend array_push_back array_push_front array_reduce
    array_resize array_reverse array_reverse_sort array_select array_slice array_sort
    array_transform array_unique array_value array_where array_zip filter flatten
    generate_series generate_subscripts grade_up len list_aggr list_aggregate list_any_value
    list_append list_apply list_approx_count_distinct list_avg list_bit_and list_bit_or
    list_bit_xor list_bool_and list_bool_or list_cat list_concat list_contains
    list_cosine_distance list_cosine_similarity list_count list_distance list_distinct
    list_dot_product list_element list_entropy list_extract list_filter list_first list_grade_up
    list_has list_has_all list_has_any list_histogram list_indexof list_inner_product
    list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median
    list_min list_mode list_negative_dot_product list_negative_inner_product list_pack
    list_position list_prepend list_product list_reduce list_resize list_reverse
    list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop
    list_stddev_samp list_string_agg list_sum list_transform list_unique list_value list_var_pop
    list_var_samp list_where list_zip range reduce unnest
""")
_STRUCTS: Final = names_of("""
    cardinality element_at map map_concat map_contains map_contains_entry map_contains_value
    map_entries map_extract map_extract_value map_from_entries map_keys map_values row
    struct_concat struct_contains struct_extract struct_extract_at struct_has struct_indexof
    struct_insert struct_keys struct_pack struct_position struct_update struct_values
    union_extract union_tag union_value enum_code enum_first enum_last enum_range
    enum_range_boundary
""")
_JSON: Final = names_of("""
    array_to_json from_json from_json_strict json json_array json_array_length json_exists
    json_extract json_extract_path json_extract_path_text json_extract_string json_keys
    json_object json_quote json_transform json_transform_strict json_type json_valid json_value
    row_to_json to_json
""")
_CATALOGUE: Final = names_of("""
    alias current_catalog current_database current_role current_schema current_schemas
    current_setting current_user format_type gen_random_uuid get_bit pg_typeof session_user
    typeof user uuid uuid_extract_version uuidv4 uuidv7 version
""")
SCALARS: Final = _OPERATORS | _NUMBERS | _TEXT | _INSTANTS | _LISTS | _STRUCTS | _JSON | _CATALOGUE

TABLE_FUNCTIONS: Final = names_of("""
    duckdb_columns duckdb_constraints duckdb_functions duckdb_indexes duckdb_keywords
    duckdb_schemas duckdb_tables duckdb_types duckdb_views generate_series json_each
    pg_timezone_names pragma_collations pragma_database_size pragma_platform pragma_show
    pragma_storage_info pragma_table_info pragma_version range unnest
""")
"""Functions allowed as tables; a series is made as it is read, so that a limit of time ends it."""

TABLE_MACROS: Final = frozenset({"route", "upstream", "downstream"})
"""The tracker's own table macros, in the schema main."""

INTERNAL_VIEWS: Final = frozenset(
    {
        ("main", name)
        for name in names_of("""
        duckdb_columns duckdb_constraints duckdb_indexes duckdb_schemas duckdb_tables
        duckdb_types duckdb_views sqlite_master sqlite_schema
        """)
    }
    | {
        ("information_schema", name)
        for name in names_of("""
        columns key_column_usage referential_constraints schemata table_constraints tables views
        """)
    }
    | {
        ("pg_catalog", name)
        for name in names_of("""
        pg_attribute pg_class pg_constraint pg_description pg_index pg_indexes pg_namespace
        pg_proc pg_tables pg_type pg_views
        """)
    }
)

SETTINGS: Final = frozenset(
    {"memory_limit", "max_memory", "threads", "timezone", "calendar", "default_collation"}
    | {"default_order", "default_null_order", "integer_division", "schema", "search_path"}
)
"""Settings that current_setting() may return: none of them holds a path or a secret."""

TYPES: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
    | {"BOOLEAN", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "BLOB", "BIT", "UUID", "NULL"}
    | {"DATE", "TIME", "TIME WITH TIME ZONE", "INTERVAL", "INTEGER_LITERAL", "STRING_LITERAL"}
    | {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"}
    | {"LIST", "ARRAY", "STRUCT", "MAP", "UNION", "ENUM", "UNBOUND"}
)
TYPE_NAMES: Final = frozenset({"json", "enum", "severity", "status"})
"""Types that are looked up by their name."""

# Function -> argument (from 0) that must be a literal, and the largest number that it may be.
LITERALS: Final[Mapping[str, tuple[int, int]]] = {
    "lpad": (1, 1_000),
    "rpad": (1, 1_000),
    "bar": (3, 1_000),
    "repeat": (1, 1_000),
    "list_resize": (1, 10_000),
    "array_resize": (1, 10_000),
    "approx_top_k": (1, 1_000),
    "equi_width_bins": (2, 10_000),
    "max": (1, 10_000),
    "min": (1, 10_000),
    "arg_max": (2, 10_000),
    "arg_min": (2, 10_000),
    "argmax": (2, 10_000),
    "argmin": (2, 10_000),
    "max_by": (2, 10_000),
    "min_by": (2, 10_000),
}
SERIES_MAX: Final = 100_000
"""The longest list that range() and generate_series() may make where they are no table."""

# Functions whose work is the product of the lengths of their arguments, within one call.
SHORT_TEXTS: Final = frozenset(
    {"levenshtein", "editdist3", "damerau_levenshtein", "jaro_similarity"}
    | {"jaro_winkler_similarity"}
)
SHORT_CHARACTERS: Final = 1_000
PATTERNS: Final = frozenset(
    {"~~", "!~~", "~~*", "!~~*", "~~~", "like_escape", "ilike_escape"}
    | {"not_like_escape", "not_ilike_escape"}
)
"""LIKE, ILIKE and GLOB in all their forms: argument 1 is the pattern."""
FORMATS: Final[Mapping[str, int]] = {"format": 0, "printf": 0, "strftime": 1}
"""Function -> argument that is the format."""
WIDTH_MAX: Final = 1_000
LIST_AGGREGATES: Final = frozenset(
    {"list_aggr", "list_aggregate", "array_aggr", "array_aggregate", "aggregate"}
)
"""Functions whose argument 1 names an aggregate."""
REDUCES: Final = frozenset({"list_reduce", "array_reduce", "reduce"})

# Functions whose result may be longer than the longest argument: it is joined from all of them,
JOINING: Final = names_of("""
    || concat concat_ws array_to_string array_to_string_comma_default format printf strftime
    list_concat array_concat list_cat array_cat list_append array_append array_push_back
    list_prepend array_prepend array_push_front list_value list_pack array_value list_zip
    array_zip row struct_pack struct_insert struct_update struct_concat map map_concat
    map_from_entries json_object json_array union_value lpad rpad flatten
""")
# or so many times their sum.
STRETCHING: Final[Mapping[str, float]] = {
    "hex": 2, "to_hex": 2, "bin": 8, "to_binary": 8, "base64": 1.4, "to_base64": 1.4,
    "url_encode": 3, "encode": 4, "regexp_escape": 2, "json_quote": 2, "to_json": 2,
    "array_to_json": 2, "row_to_json": 2, "json_object": 2, "json_array": 2,
    "nfc_normalize": 3, "list_string_agg": 2,
}  # fmt: skip
# Macros of DuckDB's that repeat an argument, nested ones each time, and the factor by which each
# counts: to expand a macro, DuckDB copies its arguments again at each level.
REPEATING: Final[Mapping[str, int]] = {
    "nullif": 3, "fmod": 3, "round_even": 3, "roundbankers": 3, "split_part": 3,
    "array_pop_back": 3, "array_to_string": 3, "array_to_string_comma_default": 3,
    "weighted_avg": 3, "wavg": 3, "json_group_array": 3, "json_group_object": 3,
}  # fmt: skip
