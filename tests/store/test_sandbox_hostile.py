"""Statements that must not run: each ends in a plain sentence and leaves nothing behind."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from finops_assistant.store.access import Principal
from finops_assistant.store.errors import FinopsError, QueryRefused, UsageError
from finops_assistant.store.focus import META_SQL, create_table_sql, create_view_sql
from finops_assistant.store.sandbox.client import Sandbox
from finops_assistant.store.sandbox.replies import Limits
from finops_assistant.store.settings import Home

SECRET = "sentinel-of-another-team"  # noqa: S105 - a value of rows, no password
KEY = "sk-sentinel-of-the-environment"
SEARCH = Principal(name="searcher", allow={"team": ("search",)}, hide=frozenset({"ListCost"}))
# A scope that no scan can apply by itself, so that it meets the statement's own conditions.
ACCOUNT = Principal(name="one-account", allow={"account": ("a-1",)})

# Read a file, by every function that reads one.
READERS = (
    *("read_csv", "read_csv_auto", "read_json", "read_json_auto", "read_json_objects"),
    *("read_json_objects_auto", "read_ndjson", "read_ndjson_auto", "read_ndjson_objects"),
    *("read_parquet", "parquet_scan", "parquet_metadata", "parquet_schema", "read_text"),
    *("parquet_file_metadata", "parquet_kv_metadata", "read_blob", "read_duckdb", "sniff_csv"),
    *("glob", "parquet_full_metadata", "read_xlsx", "sqlite_scan", "iceberg_scan", "delta_scan"),
)
FILES = (
    *(f"SELECT * FROM {reader}('{{file}}')" for reader in READERS),
    "SELECT * FROM '{file}'",
    'SELECT * FROM "{file}"',
    "FROM '{store}'",
    "SELECT * FROM read_blob('{store}')",
    "SELECT (SELECT content FROM read_text('{file}')) FROM focus",
    "SELECT * FROM focus WHERE EXISTS (FROM read_csv('{file}'))",
    "SELECT * FROM focus, LATERAL (SELECT * FROM read_text('{file}'))",
    "WITH x AS (FROM read_text('{file}')) SELECT * FROM x",
    "SELECT * FROM focus UNION ALL BY NAME FROM read_text('{file}')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'https://example.com/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT count(*) FROM read_csv(['{file}', '/etc/passwd'], header = false)",
    "SELECT * FROM (VALUES ((SELECT content FROM read_text('{file}')))) v(x)",
    "SELECT x FROM focus ORDER BY (SELECT content FROM read_text('{file}'))",
    "SELECT sum(EffectiveCost) OVER (ORDER BY (SELECT size FROM read_blob('{file}'))) FROM focus",
    "SELECT list_transform([1], lambda x: (SELECT content FROM read_text('{file}')))",
    "SELECT CASE WHEN true THEN (SELECT content FROM read_text('{file}')) END",
    "SELECT count(*) FILTER (WHERE (SELECT true FROM read_text('{file}'))) FROM focus",
    "SELECT * FROM focus LIMIT (SELECT size FROM read_blob('{file}'))",
    "SELECT * REPLACE ((SELECT content FROM read_text('{file}')) AS Tags) FROM focus",
)
WRITES = (
    "INSERT INTO focus (x_Team) VALUES ('x')",
    "UPDATE focus SET EffectiveCost = 0",
    "DELETE FROM focus",
    "DROP VIEW focus",
    "TRUNCATE focus",
    "CREATE TABLE t AS SELECT * FROM focus",
    "CREATE TEMP TABLE t AS SELECT * FROM focus",
    "CREATE OR REPLACE TEMP VIEW focus AS SELECT 1",
    "CREATE TEMP MACRO sum(x) AS 42",
    "CREATE MACRO focus() AS TABLE SELECT 1",
    "CREATE SEQUENCE s",
    "CREATE TYPE mood AS ENUM ('a')",
    "CREATE SCHEMA s",
    "ALTER VIEW focus RENAME TO other",
    "COMMENT ON VIEW focus IS 'x'",
    "MERGE INTO focus USING focus AS f ON true WHEN MATCHED THEN DELETE",
    "WITH x AS (INSERT INTO focus (x_Team) VALUES ('x') RETURNING *) SELECT * FROM x",
    "WITH x AS (UPDATE focus SET x_Team = 'x' RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM focus RETURNING *) SELECT * FROM x",
    "WITH x AS (COPY focus TO '{target}') SELECT * FROM x",
    "COPY focus TO '{target}'",
    "COPY (SELECT * FROM focus) TO '{target}' (FORMAT parquet)",
    "COPY focus FROM '{file}'",
    "EXPORT DATABASE '{target}'",
    "IMPORT DATABASE '{target}'",
    "ATTACH '{target}' AS other",
    "ATTACH '{store}' AS again",
    "DETACH store",
    "USE store",
    "INSTALL httpfs",
    "LOAD '{file}'",
    "FORCE INSTALL httpfs FROM community",
    "CHECKPOINT",
    "checkpoint",
    "FORCE CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN TRANSACTION",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "deallocate p",
    "CALL enable_logging(storage = 'file', storage_path = '{target}')",
    "CALL pragma_version()",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "EXPLAIN ANALYZE SELECT * FROM focus",
)
SETTINGS = (
    "SET memory_limit = '100GB'",
    "SET VARIABLE x = 1",
    "RESET lock_configuration",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "PRAGMA json_execute_serialized_sql('{{}}')",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('SENTINEL_KEY')",
    "SELECT getvariable('x')",
    "SELECT version()",
    "SELECT current_user",
    "SELECT user",
    "SELECT current_database(), current_schemas(true)",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_columns",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_storage_info('charges')",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM which_secret('x', 's3')",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "DESCRIBE focus",
    "SUMMARIZE focus",
    "SELECT * FROM (DESCRIBE store.main.charges)",
    "SELECT * FROM test_all_types()",
    "SELECT write_log('x')",
    "SELECT stats(EffectiveCost) FROM focus",
    "SELECT nextval('s')",
    "SELECT currval('s'), setseed(0.5)",
    "SELECT txid_current()",
    "SELECT pg_sleep(60)",
    "SELECT sleep_ms(60000)",
    "SELECT in_search_path('memory', 'main')",
)
HIDDEN_SQL = (
    "SELECT * FROM query('SELECT 42')",
    "SELECT * FROM query_table('charges')",
    "SELECT * FROM query_table(['focus'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 42'))",
    "SELECT json_serialize_sql('SELECT 42')",
    "SELECT json_serialize_plan('SELECT * FROM store.main.charges')",
    "SELECT json_deserialize_sql('{{}}')",
    "SELECT list_aggregate([1], 'sum')",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW focus",
    "SELECT 1 /* ; */; COPY focus TO '{target}' --",
    "SELECT 1 --\n; ATTACH '{target}'",
    "SELECT 'a'';' ; CHECKPOINT",
    "",
    "   ",
    ";",
    "-- nothing",
    "/* SELECT 1 */",
    "SELECT $1",
    "SELECT ?",
    "SELECT $name",
    "SELECT * FROM focus AT (VERSION => 1)",
    "SELECT * FROM focus USING SAMPLE 1",
    "SELECT * FROM focus TABLESAMPLE 10%",
    "SELECT random() FROM focus",
    "SELECT uuid()",
    "SELECT error('{file}')",
    "SELECT read_text('{file}')",
    "SELECT sum(EffectiveCost) EXPORT_STATE FROM focus",
    "SELECT system.main.sum(EffectiveCost) FROM focus",
    "SELECT main.getvariable('x')",
    "SELECT 1 OPERATOR(pg_catalog.+) 2",
    "SELECT ServiceName.read_text() FROM focus",
    "SELECT 1::store.main.mood",
    "SELECT 'x'::regclass",
    "SELECT 1::ENUM('a')",
    "SELECT 1::VARIANT",
    "SELECT x COLLATE de FROM focus",
    "SELECT DEFAULT",
)
OTHER_RELATIONS = (
    "SELECT * FROM charges",
    "SELECT * FROM store.charges",
    "SELECT * FROM store.main.charges",
    "SELECT * FROM store.focus",
    'SELECT * FROM "store"."main"."focus"',
    "SELECT * FROM main.focus",
    "SELECT * FROM memory.main.focus",
    "SELECT * FROM temp.focus",
    "SELECT * FROM quarantine",
    "SELECT * FROM files",
    "SELECT * FROM catalogue",
    "SELECT * FROM store_meta",
    "TABLE charges",
    "SELECT * FROM focus JOIN store.main.charges USING (x_Team)",
    "SELECT * FROM focus WHERE x_Team IN (SELECT x_Team FROM store.main.charges)",
    "SELECT (SELECT max(x_Team) FROM store.main.charges)",
    # A name that a WITH defines elsewhere is not known here.
    "SELECT * FROM (WITH charges AS (SELECT 1) SELECT * FROM charges) a, charges",
    "SELECT * FROM (WITH duckdb_columns AS (SELECT 1) FROM duckdb_columns) a, duckdb_columns",
    "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
    "WITH charges AS (SELECT * FROM charges) SELECT * FROM charges",
    "WITH RECURSIVE pg_class AS (FROM pg_class UNION ALL SELECT 1) SELECT * FROM pg_class",
    "SELECT * FROM (WITH x AS (SELECT 1) FROM x) UNION ALL SELECT * FROM x",
    # Letters that Python folds and DuckDB does not.
    'WITH "\u017fqlite_ma\u017fter" AS (SELECT 1) SELECT * FROM sqlite_master',
    'WITH "duc\u212adb_tables" AS (SELECT 1) SELECT * FROM duckdb_tables',
    "SELECT * FROM \uff46\uff4f\uff43\uff55\uff53",
    "SELECT * FROM f\u043ecus",
    "SELECT\u200b * FROM charges",
    "SELECT * FROM charges\x00",
    "SELECT * FROM focus \x1b[31m",
    "SELECT \ud800",
)
BOMBS = (
    "SELECT range(1000000000)",
    "SELECT len(generate_series(1, 4000000000))",
    "SELECT * FROM range(100000000000)",
    "SELECT list_sum(list_transform(range(100000000), x -> x * x))",
    "SELECT repeat('x', 4000000000)",
    "SELECT length(repeat(repeat(repeat('x', 1000), 1000), 1000))",
    "SELECT lpad('x', 1000000000, 'y')",
    "SELECT rpad('x', 201, 'y')",
    "SELECT lpad('x', EffectiveCost::INT, 'y') FROM focus",
    "SELECT format('{{:1000000000}}', 'x')",
    "SELECT printf('%1000000000d', 1)",
    "SELECT bar(1, 0, 1, 100000000)",
    "SELECT list_resize([1], 1000000000)",
    "SELECT array_resize([1], 1000000000)",
    "SELECT * FROM repeat('x', 1000000000)",
    "SELECT * FROM (PIVOT focus ON ServiceName IN ('a', 'b') USING sum(EffectiveCost))",
    "PIVOT focus ON ServiceName USING sum(EffectiveCost)",
    "SELECT * FROM (UNPIVOT focus ON COLUMNS(*) INTO NAME n VALUE v)",
    "SELECT * FROM focus WHERE x_Team IN (" + "'x'," * 200_000 + "'y')",
    "SELECT " + "(" * 9_000 + "1" + ")" * 9_000,
    "SELECT " + "-" * 1 + " -".join(["1"] * 5_000),
    "SELECT " + "[" * 4_000 + "]" * 4_000,
    "SELECT " + "NOT " * 4_000 + "true",
    "SELECT * FROM " + "(SELECT * FROM " * 900 + "focus" + ")" * 900,
)
STATEMENTS = (
    *FILES,
    *WRITES,
    *SETTINGS,
    *HIDDEN_SQL,
    *OTHER_RELATIONS,
    *BOMBS,
)

# These begin well, so only the limits stop them.
SLOW = (
    "SELECT count(*) FROM focus a, focus b, focus c, focus d WHERE a.Tags || b.Tags > c.Tags",
    "SELECT sum(a.EffectiveCost * b.EffectiveCost) FROM focus a, focus b, focus c, focus d",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT max(len(s)) FROM r",
    "WITH RECURSIVE r(l) AS (SELECT [1] UNION ALL SELECT l || l FROM r) SELECT max(len(l)) FROM r",
    "SELECT a.Tags FROM focus a, focus b, focus c ORDER BY a.Tags || b.Tags || c.Tags",
    "SELECT list(a.Tags || b.Tags) FROM focus a, focus b, focus c",
    "SELECT string_agg(a.Tags || b.Tags, ',') FROM focus a, focus b, focus c",
    "SELECT sum(count(*)) OVER (ORDER BY a.Tags || b.Tags) FROM focus a, focus b, focus c "
    "GROUP BY a.Tags, b.Tags, c.EffectiveCost",
    "SELECT count(DISTINCT a.Tags || b.Tags || c.EffectiveCost::VARCHAR) "
    "FROM focus a, focus b, focus c",
    "SELECT replace(replace(replace(string_agg(Tags, ''), 'e', string_agg(Tags, '')), "
    "'a', string_agg(Tags, '')), 'x', string_agg(Tags, '')) FROM focus",
    "WITH a AS (SELECT string_agg(Tags, '') s FROM focus), b AS (SELECT string_agg(s, '') s "
    "FROM a, focus), c AS (SELECT string_agg(s, '') s FROM b, focus) SELECT len(s) FROM c",
    # These keep the planner busy, which looks at no clock.
    "SELECT " + ",".join(["*"] * 6000) + " FROM focus",
    "WITH a0 AS NOT MATERIALIZED (SELECT 1 AS x), "
    + ", ".join(
        f"a{n} AS NOT MATERIALIZED (SELECT p.x FROM a{n - 1} p, a{n - 1} q)" for n in range(1, 30)
    )
    + " SELECT count(*) FROM a29",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A store of 4,000 rows: three teams, one of them the sentinel, two accounts."""
    path = tmp_path_factory.mktemp("sandbox") / "home"
    path.mkdir()
    with duckdb.connect(str(path / "costs-000001.duckdb")) as con:
        con.execute(create_table_sql())
        con.execute(create_view_sql())
        con.execute(META_SQL)
        con.execute(
            f"""
            INSERT INTO charges BY NAME
            SELECT CAST(i * 0.01 AS DECIMAL(18,12)) AS EffectiveCost, 1 AS BilledCost,
                   2 AS ListCost, 1 AS ContractedCost, 'USD' AS BillingCurrency,
                   CASE i % 3 WHEN 0 THEN 'search' WHEN 1 THEN '{SECRET}' END AS x_Team,
                   CASE WHEN i % 2 = 0 THEN 'a-1' ELSE '{SECRET}' END AS SubAccountId,
                   TIMESTAMP '2026-01-01' + INTERVAL (i % 90) DAY AS ChargePeriodStart,
                   'AWS' AS ServiceProviderName, 'svc' || (i % 5) AS ServiceName,
                   '{{"name":"x' || i || '"}}' AS Tags, 1 AS _file_id
            FROM range(4000) t(i)
            """
        )
        con.execute("INSERT INTO quarantine VALUES ('f.csv', 1, 'c', 'r', ?, 1)", [SECRET])
    (path / "costs.duckdb").symlink_to("costs-000001.duckdb")
    (path.parent / "secret.csv").write_text(f"a,b\n{SECRET},1\n")
    return Home(path)


@pytest.fixture(scope="module")
def sandbox(home: Home) -> Iterator[Sandbox]:
    os.environ["SENTINEL_KEY"] = KEY
    made = Sandbox(home)
    yield made
    made.close()
    del os.environ["SENTINEL_KEY"]


def trace(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file under a folder, with its size and time of change."""
    return {
        str(file): (file.lstat().st_size, file.lstat().st_mtime_ns) for file in folder.rglob("*")
    }


def names_in(folder: str) -> set[str]:
    """Without the caches that tools and other tests make here."""
    return {file.name for file in Path(folder).iterdir() if "cache" not in file.name}


def outcome(sandbox: Sandbox, sql: str, principal: Principal = SEARCH) -> FinopsError:
    with pytest.raises((QueryRefused, UsageError)) as caught:
        sandbox.run(sql, principal)
    return caught.value


def is_a_sentence(text: str) -> bool:
    return (
        20 < len(text) < 500
        and text == " ".join(text.split())
        and text.endswith((".", "?"))
        and "Traceback" not in text
    )


def test_there_are_many_of_them() -> None:
    assert len(set(STATEMENTS + SLOW)) >= 200


@pytest.mark.parametrize("sql", STATEMENTS, ids=lambda sql: ascii(sql)[1:60])
def test_it_does_not_run(sandbox: Sandbox, home: Home, sql: str) -> None:
    folder = home.path.parent
    names = {
        "file": folder / "secret.csv",
        "store": home.path / "costs-000001.duckdb",
        "target": folder / "written",
    }
    for name, path in names.items():
        sql = sql.replace("{" + name + "}", str(path))
    before = trace(folder), names_in("/"), names_in(".")
    started = time.monotonic()
    no = outcome(sandbox, sql.replace("{{", "{").replace("}}", "}"))
    assert time.monotonic() - started < 30
    assert is_a_sentence(str(no)), str(no)
    assert SECRET not in str(no)
    assert KEY not in str(no)
    assert str(names["store"]) not in str(no)
    assert (trace(folder), names_in("/"), names_in(".")) == before


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM '/etc/passwd'", "Files may not be read"),
        ("SELECT * FROM read_csv('x')", "read_csv() may not be used"),
        ("SELECT getenv('HOME')", "getenv() may not be used"),
        ("SELECT 1; SELECT 2", "exactly one SELECT"),
        ("DROP TABLE charges", "Only a SELECT"),
        ("SELECT * FROM charges", "focus, focus_split"),
        ("SELECT date_trunk('month', ChargePeriodStart) FROM focus", "Did you mean date_trunc()?"),
    ],
)
def test_the_sentence_says_what_is_wrong(sandbox: Sandbox, sql: str, says: str) -> None:
    no = outcome(sandbox, sql)
    assert says in str(no)
    assert isinstance(no, QueryRefused)
    assert no.reason == "WRITE_ACTION"


def test_other_rows_are_not_there(sandbox: Sandbox) -> None:
    found = sandbox.run("SELECT DISTINCT x_Team, SubAccountId FROM focus ORDER BY ALL", SEARCH)
    assert found.rows == (("search", "a-1"), ("search", SECRET))
    with_hints = (
        "SELECT count(*) FROM focus WHERE x_Team IS DISTINCT FROM 'search'",
        f"SELECT count(*) FROM focus WHERE x_Team = '{SECRET}'",
        "SELECT count(*) FROM focus WHERE x_Team <> 'search' OR true = false",
        "SELECT count(*) FROM focus a FULL JOIN focus b ON false WHERE a.x_Team <> 'search'",
    )
    for sql in with_hints:
        assert sandbox.run(sql, SEARCH).rows == ((0,),), sql


@pytest.mark.parametrize("principal", [SEARCH, ACCOUNT], ids=lambda who: who.name)
@pytest.mark.parametrize(
    "sql",
    [
        # Each of these would fail on the rows of others, and so tell of them, if it met them.
        f"SELECT count(*) FROM focus WHERE CAST(CASE WHEN {{column}} = '{SECRET}' "
        "THEN 'x' ELSE '1' END AS INT) = 1",
        f"SELECT sum(CAST(CASE WHEN {{column}} = '{SECRET}' THEN 'x' ELSE '1' END AS INT)) "
        "FROM focus",
        f"SELECT count(*) FROM focus WHERE strptime(CASE WHEN {{column}} = '{SECRET}' THEN 'x' "
        "ELSE '2026-01-01' END, '%Y-%m-%d') IS NOT NULL AND EffectiveCost >= 0",
        f"SELECT count(*) FROM focus a JOIN focus b ON a.Tags = b.Tags AND CAST(CASE WHEN "
        f"b.{{column}} = '{SECRET}' THEN 'x' ELSE '1' END AS INT) = 1",
        f"SELECT count(*) FROM focus WHERE {{column}} = '{SECRET}' AND CAST({{column}} AS INT) > 0",
    ],
    ids=range(5),
)
def test_a_condition_never_meets_the_rows_of_others(
    sandbox: Sandbox, principal: Principal, sql: str
) -> None:
    column = "x_Team" if principal is SEARCH else "SubAccountId"
    for _ in range(3):  # the order of conditions adapts while they run
        assert sandbox.run(sql.format(column=column), principal).rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM focus LIMIT 1",
        "SELECT COLUMNS('.*Cost') FROM focus LIMIT 1",
        "SELECT COLUMNS(lambda c: c LIKE '%Cost') FROM focus LIMIT 1",
        "SELECT f.* FROM focus f LIMIT 1",
        "SELECT f FROM focus f LIMIT 1",
        "SELECT focus FROM focus LIMIT 1",
        "SELECT to_json(focus) FROM focus LIMIT 1",
        "SELECT UNNEST(f) FROM (SELECT focus AS f FROM focus LIMIT 1)",
        "SELECT * FROM (SELECT max(COLUMNS(*)) FROM focus)",
        "FROM focus LIMIT 1",
        "TABLE focus LIMIT 1",
    ],
)
def test_hidden_columns_are_in_no_star(sandbox: Sandbox, sql: str) -> None:
    found = sandbox.run(sql, SEARCH)
    text = str((found.columns, found.rows))
    assert "EffectiveCost" in text
    assert "ListCost" not in text
    assert "_file_id" not in text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ListCost FROM focus",
        "SELECT listcost FROM focus",
        'SELECT sum("LISTCOST") FROM focus',
        "SELECT f.ListCost FROM focus f",
        "SELECT 1 FROM focus WHERE ListCost > 1",
        "SELECT 1 FROM focus ORDER BY (SELECT max(ListCost) FROM focus)",
        "SELECT * EXCLUDE (ListCost) FROM focus",
        "SELECT focus.ListCost FROM focus",
        "SELECT (focus).ListCost FROM focus",
    ],
)
def test_a_hidden_column_is_no_permission(sandbox: Sandbox, sql: str) -> None:
    no = outcome(sandbox, sql)
    if "EXCLUDE" in sql or "(focus)" in sql:
        assert isinstance(no, UsageError)
    else:
        assert isinstance(no, QueryRefused)
        assert no.reason == "NOT_PERMITTED"
        assert "You may not see" in str(no)


@pytest.mark.parametrize(
    "principal",
    [
        Principal(name="nobody", unknown=True),
        Principal(unknown=True),
        Principal(name="asks", tools=frozenset({"query_costs"})),
    ],
)
def test_who_may_not_run_sql_is_told_so(sandbox: Sandbox, principal: Principal) -> None:
    no = outcome(sandbox, "SELECT 1", principal)
    assert isinstance(no, QueryRefused)
    assert no.reason == "NOT_PERMITTED"


def test_values_of_rows_are_in_no_message(sandbox: Sandbox) -> None:
    for sql in (
        "SELECT x_Team::INT FROM focus",
        "SELECT strptime(ServiceName, '%Y') FROM focus",
        "SELECT (EffectiveCost * 1e30)::DECIMAL(38,12) FROM focus",
        "SELECT ServiceName::DATE FROM focus",
    ):
        no = outcome(sandbox, sql)
        assert is_a_sentence(str(no))
        assert "svc" not in str(no)
        assert "search" not in str(no)


def test_the_worker_has_nothing_to_give_away(sandbox: Sandbox) -> None:
    sandbox.run("SELECT 1")
    (pid,) = sandbox.pids()
    assert KEY not in Path(f"/proc/{pid}/environ").read_text()
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(rf"Max address space +{Limits().address_space_mb << 20} ", limits)
    assert re.search(r"Max file size +0 ", limits)
    assert re.search(r"Max processes +0 ", limits)
    assert re.search(r"Max core file size +0 ", limits)
    opened = {fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert sorted(name.name.split(":")[0] for name in opened) == [
        "costs-000001.duckdb",
        "null",
        "pipe",
        "pipe",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("sql", SLOW, ids=lambda sql: sql[:60])
def test_the_limits_stop_it(home: Home, sql: str) -> None:
    quick = Limits(seconds=6, grace=4)
    sandbox = Sandbox(home, quick)
    before = trace(home.path.parent)
    started = time.monotonic()
    try:
        no = outcome(sandbox, sql)
        assert time.monotonic() - started < 12
        assert isinstance(no, QueryRefused)
        assert is_a_sentence(str(no))
        # and the next statement runs
        assert sandbox.run("SELECT count(*) FROM focus").rows == ((4000,),)
    finally:
        sandbox.close()
    assert trace(home.path.parent) == before
