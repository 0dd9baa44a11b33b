"""Analytical SQL that must run: the rows equal those of DuckDB itself, asked directly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.errors import QueryRefused, StoreMissing, UsageError
from finops_assistant.store.focus import COLUMNS, META_SQL, create_table_sql, create_view_sql
from finops_assistant.store.sandbox.client import Sandbox
from finops_assistant.store.sandbox.replies import Limits
from finops_assistant.store.settings import Home

ROWS = 6000

QUERIES = (
    "SELECT count(*), sum(EffectiveCost), min(ChargePeriodStart), max(ChargePeriodStart) FROM "
    "focus",
    "SELECT x_Team, sum(EffectiveCost) AS cost FROM focus GROUP BY ALL ORDER BY cost DESC",
    "SELECT date_trunc('month', ChargePeriodStart) AS month, ServiceName, sum(BilledCost) AS cost "
    "FROM focus GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT ServiceProviderName, sum(EffectiveCost) FILTER (WHERE x_Environment = 'prod') AS prod, "
    "count(*) FILTER (x_Team IS NULL) AS untagged FROM focus GROUP BY 1 ORDER BY 1",
    # WITH, windows, QUALIFY
    "WITH monthly AS (SELECT month(ChargePeriodStart) AS m, x_Team AS team, sum(EffectiveCost) "
    "AS cost FROM focus GROUP BY ALL) SELECT m, team, cost, cost - lag(cost) OVER (PARTITION BY "
    "team ORDER BY m) AS change FROM monthly ORDER BY team NULLS FIRST, m",
    "WITH a AS (SELECT ServiceName AS s, sum(EffectiveCost) AS c FROM focus GROUP BY 1), "
    "b AS (SELECT sum(c) AS total FROM a) SELECT s, c / total AS share FROM a, b ORDER BY 2 "
    "DESC, 1",
    "SELECT x_Team, ServiceName, sum(EffectiveCost) AS cost FROM focus GROUP BY 1, 2 QUALIFY "
    "row_number() OVER (PARTITION BY x_Team ORDER BY sum(EffectiveCost) DESC, ServiceName) <= 2 "
    "ORDER BY x_Team NULLS LAST, cost DESC",
    "SELECT ServiceName, c, sum(c) OVER (ORDER BY c DESC, ServiceName ROWS UNBOUNDED PRECEDING) AS "
    "running, rank() OVER w AS place FROM (SELECT ServiceName, sum(ListCost) AS c FROM focus GROUP "
    "BY 1) WINDOW w AS (ORDER BY c DESC) ORDER BY place, ServiceName",
    "SELECT d, avg(c) OVER (ORDER BY d RANGE BETWEEN INTERVAL 6 DAYS PRECEDING AND CURRENT ROW) AS "
    "week FROM (SELECT CAST(ChargePeriodStart AS DATE) AS d, sum(EffectiveCost)::DOUBLE AS c FROM "
    "focus GROUP BY 1) ORDER BY d",
    "SELECT DISTINCT ServiceName, first_value(x_Team) OVER (PARTITION BY ServiceName ORDER BY "
    "EffectiveCost DESC, Tags) AS top FROM focus ORDER BY 1",
    # dates
    "SELECT extract(year FROM ChargePeriodStart) AS y, quarter(ChargePeriodStart) AS q, "
    "isodow(ChargePeriodStart) AS d, sum(EffectiveCost) FROM focus GROUP BY ALL ORDER BY ALL",
    "SELECT strftime(ChargePeriodStart, '%Y-%m') AS m, count(DISTINCT SubAccountId) AS accounts "
    "FROM focus WHERE ChargePeriodStart >= DATE '2026-01-01' AND ChargePeriodStart < DATE "
    "'2026-02-15' GROUP BY 1 ORDER BY 1",
    "SELECT date_diff('day', min(ChargePeriodStart), max(ChargePeriodStart)), "
    "last_day(max(ChargePeriodStart)), max(ChargePeriodStart) - INTERVAL 1 MONTH FROM focus",
    "SELECT time_bucket(INTERVAL '2 weeks', ChargePeriodStart) AS b, sum(EffectiveCost) FROM focus "
    "GROUP BY b ORDER BY b",
    "WITH RECURSIVE months(m) AS (SELECT DATE '2026-01-01' UNION ALL SELECT CAST(m + INTERVAL 1 "
    "MONTH AS DATE) FROM months WHERE m < DATE '2026-06-01') SELECT m, "
    "coalesce(sum(EffectiveCost), 0) AS cost FROM months LEFT JOIN focus ON "
    "date_trunc('month', ChargePeriodStart) = m GROUP BY m ORDER BY m",
    # tags and other JSON
    "SELECT json_extract_string(Tags, '$.team') AS team, sum(EffectiveCost) FROM focus GROUP BY 1 "
    "ORDER BY 1 NULLS FIRST",
    "SELECT Tags ->> 'owner' AS owner, Tags -> '$.n' AS n FROM focus WHERE Tags ->> '$.owner' LIKE "
    "'o%' ORDER BY CAST(Tags ->> 'n' AS INT) LIMIT 5",
    "SELECT key, count(*) FROM (SELECT unnest(json_keys(Tags)) AS key FROM focus) GROUP BY 1 "
    "ORDER BY 2 DESC, 1",
    "SELECT count(*) FROM focus WHERE json_extract_string(Tags, ['$.team', '$.owner'])[1] = 'ml'",
    # conditions
    "SELECT CASE WHEN EffectiveCost < 1 THEN 'small' WHEN EffectiveCost < 10 THEN 'medium' ELSE "
    "'large' END AS size, count(*), sum(EffectiveCost) FROM focus GROUP BY 1 ORDER BY 1",
    "SELECT coalesce(x_Team, '(untagged)') AS team, round(100 * sum(EffectiveCost) / sum(sum("
    "EffectiveCost)) OVER (), 2) AS percent FROM focus GROUP BY 1 ORDER BY 2 DESC",
    "SELECT ServiceName FROM focus WHERE x_Team IN ('search', 'ml') AND ServiceName NOT LIKE 'x%' "
    "AND ServiceName ILIKE 'SVC%' AND EffectiveCost BETWEEN 2 AND 3 GROUP BY 1 ORDER BY 1",
    "SELECT sum(EffectiveCost) / nullif(count(*), 0), if(count(*) > 5, 'many', 'few') FROM focus "
    "WHERE regexp_matches(ServiceName, '^svc[0-2]$')",
    # sets, subqueries, joins
    "SELECT 'all' AS what, sum(EffectiveCost) AS c FROM focus UNION ALL SELECT x_Team, "
    "sum(EffectiveCost) FROM focus GROUP BY 1 ORDER BY 1 NULLS LAST",
    "SELECT ServiceName FROM focus WHERE x_Team = 'ml' EXCEPT SELECT ServiceName FROM focus WHERE "
    "x_Team = 'search' ORDER BY 1",
    "SELECT Tags, EffectiveCost FROM focus f WHERE EffectiveCost = (SELECT max(EffectiveCost) FROM "
    "focus g WHERE g.ServiceName = f.ServiceName) ORDER BY 1, 2",
    "SELECT count(*) FROM focus f WHERE EXISTS (SELECT 1 FROM focus g WHERE g.SubAccountId = "
    "f.SubAccountId AND g.x_Team = 'ml') AND x_Team NOT IN (SELECT 'search')",
    "SELECT a.m, a.c AS now, b.c AS before FROM (SELECT month(ChargePeriodStart) AS m, "
    "sum(EffectiveCost) AS c FROM focus GROUP BY 1) a LEFT JOIN (SELECT "
    "month(ChargePeriodStart) AS m, sum(EffectiveCost) AS c FROM focus GROUP BY 1) b ON a.m = "
    "b.m + 1 ORDER BY 1",
    "SELECT t.team, l.s, l.c FROM (SELECT DISTINCT x_Team AS team FROM focus) t, LATERAL (SELECT "
    "ServiceName AS s, sum(EffectiveCost) AS c FROM focus WHERE x_Team = t.team GROUP BY 1 "
    "ORDER BY 2 DESC, 1 LIMIT 1) l ORDER BY 1",
    "SELECT v.label, sum(EffectiveCost) FROM focus JOIN (VALUES ('search', 'Search'), ('ml', "
    "'Machine learning')) v(team, label) ON x_Team = v.team GROUP BY 1 ORDER BY 1",
    "SELECT ServiceName, x_Team, sum(EffectiveCost), grouping(x_Team) AS g FROM focus GROUP BY "
    "ROLLUP (ServiceName, x_Team) ORDER BY ALL",
    # statistics and lists
    "SELECT ServiceName, quantile_cont(EffectiveCost, 0.9) AS p90, median(EffectiveCost), "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY EffectiveCost) FROM focus GROUP BY 1 ORDER BY 1",
    "SELECT corr(EffectiveCost::DOUBLE, ListCost::DOUBLE) > 0.9, regr_slope(EffectiveCost::DOUBLE, "
    "ListCost::DOUBLE) < 1 FROM focus",
    "SELECT ServiceName, list_sort(list(DISTINCT x_Team)) AS teams, string_agg(DISTINCT "
    "x_Team, ', ' ORDER BY x_Team) AS text FROM focus GROUP BY 1 ORDER BY 1",
    "SELECT list_transform([1, 2, 3], lambda x: x * 2), list_filter([1, 2, 3], lambda x: x > 1), "
    "[x + 1 FOR x IN [1, 2]], {'a': 1, 'b': 'x'}, map {'k': 2}",
    "SELECT arg_max(ServiceName, EffectiveCost), any_value(BillingCurrency), bool_or(x_Team = "
    "'ml'), approx_count_distinct(SubAccountId) > 1, mode(ServiceProviderName) FROM focus",
    # texts, stars, FROM first
    "SELECT upper(left(ServiceName, 2)) || '-' || lpad(split_part(ServiceName, 'c', 2), 3, '0') AS "
    "code, count(*) FROM focus GROUP BY 1 ORDER BY 1",
    "SELECT max(COLUMNS('.*Cost$')) FROM focus",
    "FROM focus SELECT BillingCurrency, sum(EffectiveCost) GROUP BY ALL",
    "SELECT * EXCLUDE (Tags) REPLACE (round(EffectiveCost, 1) AS EffectiveCost) FROM focus "
    "ORDER BY ChargePeriodStart, ServiceName, x_Team, EffectiveCost, SubAccountId LIMIT 20",
    "SELECT /* which */ sum(EffectiveCost) -- how much\nFROM focus;",
)


def build(path: Path, rows: int = ROWS) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(create_table_sql())
        con.execute(create_view_sql())
        con.execute(META_SQL)
        con.execute(
            """
            INSERT INTO charges BY NAME
            SELECT CAST(i * 0.003 AS DECIMAL(18,12)) AS EffectiveCost,
                   CAST((i % 40) * 0.25 AS DECIMAL(18,12)) AS BilledCost,
                   CAST(i * 0.004 + i % 5 AS DECIMAL(18,12)) AS ListCost,
                   CAST(i * 0.003 AS DECIMAL(18,12)) AS ContractedCost, 'USD' AS BillingCurrency,
                   CASE i % 4 WHEN 0 THEN 'search' WHEN 1 THEN 'ml' WHEN 2 THEN 'ads' END AS x_Team,
                   CASE WHEN i % 3 = 0 THEN 'prod' ELSE 'dev' END AS x_Environment,
                   'account-' || (i % 7) AS SubAccountId,
                   TIMESTAMP '2026-01-01' + INTERVAL (i % 150) DAY AS ChargePeriodStart,
                   CASE WHEN i % 2 = 0 THEN 'AWS' ELSE 'OpenAI' END AS ServiceProviderName,
                   'svc' || (i % 6) AS ServiceName,
                   CASE WHEN i % 10 > 0 THEN '{"team":"' || CASE WHEN i % 2 = 0 THEN 'ml' ELSE
                   'ads' END || '","owner":"o' || (i % 3) || '","n":' || i || '}' END AS Tags,
                   CAST(0.5 AS DECIMAL(38,15)) AS x_GpuHours, 1 AS _file_id
            FROM range(?) t(i)
            """,
            [rows],
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    path = tmp_path_factory.mktemp("queries")
    build(path / "costs-000001.duckdb")
    (path / "costs.duckdb").symlink_to("costs-000001.duckdb")
    return Home(path)


@pytest.fixture(scope="module")
def sandbox(home: Home) -> Iterator[Sandbox]:
    made = Sandbox(home)
    yield made
    made.close()


@pytest.fixture(scope="module")
def direct(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.path / "costs-000001.duckdb"), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def plain(cell: Any) -> Any:
    """Lists, structs and maps as the values they hold; the sandbox gives their JSON."""
    if isinstance(cell, list | dict):
        return json.loads(json.dumps(cell, default=str))
    return cell


def test_there_are_many_of_them() -> None:
    assert len(QUERIES) >= 40


@pytest.mark.parametrize("sql", QUERIES, ids=range(len(QUERIES)))
def test_it_gives_what_duckdb_gives(
    sandbox: Sandbox, direct: duckdb.DuckDBPyConnection, sql: str
) -> None:
    found = sandbox.run(sql)
    expected = direct.execute(sql)
    columns = expected.description or []
    assert [(c.name, c.type) for c in found.columns] == [(c[0], str(c[1])) for c in columns]
    rows = [tuple(plain(cell) for cell in row) for row in expected.fetchall()]
    nested = [str(c[1]).endswith(("]", ")")) and "DECIMAL(" not in str(c[1])[:8] for c in columns]
    got = [
        tuple(
            json.loads(cell) if nested[n] and isinstance(cell, str) else cell
            for n, cell in enumerate(row)
        )
        for row in found.rows
    ]
    assert rows
    assert got == rows
    assert [[type(cell) for cell in row] for row in got] == [
        [type(cell) for cell in row] for row in rows
    ]
    assert not found.truncated


def test_a_principal_gets_its_own_rows(sandbox: Sandbox, direct: duckdb.DuckDBPyConnection) -> None:
    ml = Principal(name="ml", allow={"team": ("ml",), "provider": ("OpenAI",)})
    sql = "SELECT ServiceName, count(*), sum(EffectiveCost) FROM {} GROUP BY 1 ORDER BY 1"
    own = "(SELECT * FROM focus WHERE x_Team = 'ml' AND ServiceProviderName = 'OpenAI')"
    found = sandbox.run(sql.format("focus"), ml)
    assert list(found.rows) == direct.execute(sql.format(own)).fetchall()
    assert sandbox.run("SELECT count(*) FROM focus", EVERYONE).rows == ((ROWS,),)
    untagged = Principal(name="rest", allow={"team": ("(untagged)",)})
    assert sandbox.run("SELECT count(*), count(x_Team) FROM focus", untagged).rows == (
        (ROWS // 4, 0),
    )
    quoted = Principal(name="q", allow={"team": ("x') OR ('1' = '1",)})
    assert sandbox.run("SELECT count(*) FROM focus", quoted).rows == ((0,),)


def test_rows_of_later_days_are_not_looked_at(sandbox: Sandbox) -> None:
    found = sandbox.run("SELECT max(ChargePeriodStart) FROM focus", before=date(2026, 2, 1))
    assert found.rows == ((datetime(2026, 1, 31),),)  # noqa: DTZ001 - the store's times are UTC


def test_focus_has_the_columns_of_the_specification(sandbox: Sandbox) -> None:
    found = sandbox.run("SELECT * FROM focus LIMIT 1")
    assert [c.name for c in found.columns] == [c.name for c in COLUMNS]


def test_types_keep_their_exact_values(sandbox: Sandbox) -> None:
    found = sandbox.run(
        "SELECT 12345678901234567890.123456789012::DECIMAL(38,12), 170141183460469231731687303715"
        "884105727, 0.1::DOUBLE, NULL, true, DATE '2026-02-28', TIMESTAMP '2026-02-28 12:00:00.5', "
        "'\u00fc\u2028\U0001f600', TIME '10:30', INTERVAL 90 MINUTE, "
        "'-infinity'::DOUBLE"
    )
    (row,) = found.rows
    assert row[:3] == (Decimal("12345678901234567890.123456789012"), 2**127 - 1, 0.1)
    assert row[3:6] == (None, True, date(2026, 2, 28))
    assert row[6] == datetime(2026, 2, 28, 12, 0, 0, 500_000)  # noqa: DTZ001 - as above
    assert row[7:] == ("\u00fc\u2028\U0001f600", "10:30:00", "1:30:00", float("-inf"))


@pytest.mark.parametrize(
    ("sql", "units"),
    [
        (
            "SELECT EffectiveCost, ServiceName, ChargePeriodStart, x_GpuHours FROM focus",
            "money text date hours",
        ),
        (
            "SELECT sum(EffectiveCost), count(*), avg(BilledCost) AS a, sum(x_GpuHours) FROM focus",
            "money count money hours",
        ),
        (
            "SELECT sum(EffectiveCost) - sum(BilledCost), round(max(ListCost), 2) FROM focus",
            "money money",
        ),
        (
            "SELECT sum(EffectiveCost) / count(*), sum(EffectiveCost) * 2 FROM focus",
            "number number",
        ),
        ("SELECT sum(EffectiveCost) + sum(x_GpuHours) FROM focus", "number"),
        (
            "SELECT coalesce(sum(EffectiveCost), 0), sum(CASE WHEN x_Team = 'ml' THEN "
            "BilledCost ELSE 0 END), CAST(sum(ListCost) AS DOUBLE) FROM focus",
            "money money money",
        ),
        (
            "WITH a AS (SELECT ServiceName AS s, sum(EffectiveCost) AS c FROM focus GROUP BY "
            "1) SELECT s, c, c - lag(c) OVER (ORDER BY s), rank() OVER (ORDER BY c) FROM a",
            "text money money count",
        ),
        ("SELECT * FROM (SELECT x_Team, sum(ListCost) AS c FROM focus GROUP BY 1)", "text money"),
        (
            "WITH a(t, c) AS (SELECT x_Team, sum(ListCost) FROM focus GROUP BY 1) SELECT c, t "
            "FROM a",
            "money text",
        ),
        (
            "SELECT a.c, b.c FROM (SELECT 1 AS k, sum(ListCost) AS c FROM focus) a JOIN "
            "(SELECT 1 AS k, count(*) AS c FROM focus) b USING (k)",
            "number number",
        ),
        ("SELECT sum(EffectiveCost) FROM focus UNION ALL SELECT sum(ListCost) FROM focus", "money"),
        ("SELECT sum(EffectiveCost) FROM focus UNION ALL SELECT count(*) FROM focus", "number"),
        (
            "SELECT quantile_cont(EffectiveCost, 0.5), percentile_cont(0.5) WITHIN GROUP (ORDER BY "
            "BilledCost), sum(EffectiveCost ORDER BY x_GpuHours) FROM focus",
            "money money money",
        ),
        (
            "SELECT ServiceName AS EffectiveCost, 5 AS BilledCost, EffectiveCost AS x FROM focus",
            "text number money",
        ),
        ("SELECT f.EffectiveCost FROM focus f JOIN focus g ON f.Tags = g.Tags", "money"),
        ("SELECT COLUMNS('^(Bill|Contract)edCost$') FROM focus", "number number"),
        ("SELECT e FROM focus f(a, b, c, d, e)", "text"),
    ],
    ids=range(17),
)
def test_units_are_those_of_the_columns_they_come_from(
    sandbox: Sandbox, sql: str, units: str
) -> None:
    found = sandbox.run(sql)
    assert [column.unit for column in found.columns] == units.split()


def test_every_cost_column_of_a_star_is_money(sandbox: Sandbox) -> None:
    units = {c.name: c.unit for c in sandbox.run("SELECT * FROM focus LIMIT 1").columns}
    assert units["EffectiveCost"] == units["ListCost"] == "money"
    assert units["x_GpuHours"] == "hours"
    assert units["ChargePeriodStart"] == "date"
    assert units["ListUnitPrice"] == "number"


def test_it_says_which_columns_are_read(sandbox: Sandbox) -> None:
    found = sandbox.run("SELECT sum(effectivecost) FROM focus WHERE x_Team = 'ml'")
    assert found.reads == {"EffectiveCost", "x_Team"}
    assert len(sandbox.run("SELECT * FROM focus LIMIT 1").reads) == len(COLUMNS)
    assert sandbox.run("SELECT count(*) FROM focus").reads == frozenset()


def test_rows_are_capped(sandbox: Sandbox) -> None:
    found = sandbox.run("SELECT a.Tags FROM focus a, focus b")
    assert len(found.rows) == 1000
    assert found.truncated
    exactly = sandbox.run("SELECT Tags FROM focus LIMIT 1000")
    assert (len(exactly.rows), exactly.truncated) == (1000, False)


def test_bytes_are_capped(home: Home) -> None:
    sandbox = Sandbox(home, Limits(megabytes=0.1))
    try:
        found = sandbox.run("SELECT * FROM focus")
        assert found.truncated
        assert 0 < len(found.rows) < 200
        with pytest.raises(QueryRefused, match=r"larger than 0\.1 MB"):
            sandbox.run("SELECT string_agg(Tags, ',') FROM focus")
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM focus WHERE", "syntax error"),
        ("SELECT Effective FROM focus", '"Effective" not found'),
        ("SELECT Effective FROM focus", "EffectiveCost"),
        ("SELECT sum(ServiceName) FROM focus", "sum"),
        ("SELECT x_Team, sum(EffectiveCost) FROM focus", "GROUP BY"),
        ("SELECT ServiceName::INT FROM focus", "could not be converted"),
        ("SELECT 1 WHERE 'a", "unterminated"),
    ],
)
def test_wrong_sql_is_said_plainly(sandbox: Sandbox, sql: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        sandbox.run(sql)
    text = str(caught.value)
    assert says.lower() in text.lower()
    assert "\n" not in text
    assert "LINE 1" not in text


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    sandbox = Sandbox(Home(tmp_path))
    with pytest.raises(StoreMissing, match="Nothing has been loaded"):
        sandbox.run("SELECT 1")
    sandbox.close()
