"""What free SQL may use: functions, types, collations. Whatever is not named here is refused.

Left out on purpose, though DuckDB has them: whatever reads files, settings, variables, the
catalogue or the environment; whatever runs SQL or a function given as text; whatever is random or
waits; and whatever makes much out of little (``range``, ``repeat``, ``format``, ``list_resize``).
"""

from __future__ import annotations

from typing import Final

_AGGREGATES = """
    any_value approx_count_distinct approx_quantile arg_max arg_max_null arg_min arg_min_null
    argmax argmin array_agg avg bool_and bool_or corr count count_if count_star countif covar_pop
    covar_samp entropy first geomean geometric_mean group_concat histogram kurtosis last list
    listagg mad max max_by mean median min min_by mode product quantile quantile_cont
    quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx
    regr_sxy regr_syy skewness stddev stddev_pop stddev_samp string_agg sum var_pop var_samp
    variance wavg weighted_avg
"""
_WINDOWS = """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    rank_dense row_number
"""
_OPERATORS = """
    + - * / // % ** ^ || ~~ !~~ ~~* !~~* ~~~ ^@ -> ->> @> <@ && & | << >> ~ @
    like_escape ilike_escape not_like_escape not_ilike_escape
"""
_NUMBERS = """
    abs add cbrt ceil ceiling cos divide even exp fdiv floor fmod greatest isfinite isinf isnan
    least ln log log10 log2 mod multiply pi pow power round round_even roundbankers sign sin sqrt
    subtract trunc
"""
_CONDITIONS = "if nullif"
_TEXTS = """
    ascii char_length character_length chr concat concat_ws contains ends_with instr
    jaro_winkler_similarity lcase left length len levenshtein lower lpad ltrim nfc_normalize ord
    position prefix regexp_extract regexp_extract_all regexp_full_match regexp_matches
    regexp_replace regexp_split_to_array replace reverse right rpad rtrim split split_part
    starts_with str_split string_split string_split_regex string_to_array strip_accents strlen
    strpos substr substring suffix translate trim ucase unicode upper
"""
_DATES = """
    age century current_date date_add date_diff date_part date_sub date_trunc datediff datepart
    datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch
    epoch_ms epoch_us get_current_timestamp hour isodow isoyear last_day make_date make_time
    make_timestamp microsecond millisecond minute month monthname now quarter second strftime
    strptime time_bucket timezone to_days to_hours to_microseconds to_milliseconds to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years today try_strptime week
    weekday weekofyear year yearweek
"""
_LISTS = """
    array_append array_concat array_contains array_distinct array_extract array_filter array_has
    array_has_all array_has_any array_length array_position array_prepend array_reverse
    array_slice array_sort array_to_string array_transform array_unique cardinality element_at
    flatten list_any_value list_append list_apply list_avg list_cat list_concat list_contains
    list_count list_distinct list_element list_extract list_filter list_first list_has
    list_has_all list_has_any list_indexof list_last list_max list_median list_min list_position
    list_prepend list_reduce list_reverse list_reverse_sort list_slice list_sort list_string_agg
    list_sum list_transform list_unique list_value list_zip map map_contains map_entries
    map_extract map_extract_value map_from_entries map_keys map_values row struct_extract
    struct_pack unnest
"""
_JSON = """
    array_to_json json_array json_array_length json_contains json_exists json_extract
    json_extract_path json_extract_path_text json_extract_string json_group_array
    json_group_object json_keys json_object json_quote json_type json_valid json_value
    row_to_json to_json
"""
_OTHERS = "pg_typeof typeof"

FUNCTIONS: Final = frozenset(
    " ".join(
        (
            *(_AGGREGATES, _WINDOWS, _OPERATORS, _NUMBERS, _CONDITIONS, _TEXTS, _DATES, _LISTS),
            *(_JSON, _OTHERS),
        )
    ).split()
)

# Functions whose result is as long as an argument says: that argument must be a small number.
LENGTHS: Final = {"lpad": 1, "rpad": 1}
LONGEST: Final = 200

# Words that DuckDB reads as a column and, where there is none, as a function about the session.
BARE_REFUSED: Final = frozenset(
    (
        *("current_catalog", "current_database", "current_query", "current_role"),
        *("current_schema", "current_schemas", "current_user", "session_user", "user"),
    )
)

_TYPE_NAMES = """
    array bigint bool boolean char character date datetime dec decimal double float float4 float8
    hugeint int int1 int2 int4 int8 integer interval json list long map null numeric real short
    smallint signed string struct text time timestamp timestamptz tinyint ubigint uhugeint
    uinteger usmallint utinyint uuid varchar
"""
TYPES: Final = frozenset(_TYPE_NAMES.split()) | {
    *("timestamp with time zone", "timestamp without time zone", "double precision")
}

COLLATIONS: Final = frozenset(("nocase", "noaccent", "nocase.noaccent", "noaccent.nocase"))
