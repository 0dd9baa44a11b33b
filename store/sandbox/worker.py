"""The process in which free SQL runs. It holds the store read-only and can reach nothing else.

One line of JSON in on stdin, one line out on the descriptor that stdout was. The first line opens
a version of the store, each later one runs a statement. The process ends when its parent does.

What the statement sees are temporary views of a fresh connection, one for each relation that it
names, and the connection's own database is an empty one in memory: were a view missing, there would
be nothing of that name. DuckDB's
settings are closed in an order that matters: the store is attached before files are forbidden, and
the lock comes last.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import select
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from finops_assistant.store.sandbox.cells import encode
from finops_assistant.store.sandbox.lineage import units_of
from finops_assistant.store.sandbox.nodes import STORE
from finops_assistant.store.sandbox.tree import Check, Unsafe

if TYPE_CHECKING:
    import duckdb

_FETCH: Final = 100
_IDLE_CHECK: Final = 1.0  # seconds between looks at whether the parent is still there

# What an error at run time may say. DuckDB's own text can hold values of rows.
_RUN_TIME: Final = {
    "ConversionException": "A value could not be converted to the type that the query asks for; "
    "TRY_CAST gives NULL for such values.",
    "OutOfRangeException": "A result of the query is out of the range of its type; "
    "cast to DOUBLE or to a wider DECIMAL.",
    "InvalidInputException": "A function of the query was given a value that it cannot take.",
    "InterruptException": "stopped",
    "OutOfMemoryException": "memory",
}
# These speak of the statement and of the columns that it may see.
_PLAN_TIME: Final = ("BinderException", "CatalogException", "ParserException", "SyntaxException")


def main(parent: int) -> None:
    """Serve until stdin ends or the parent is gone."""
    replies = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)  # whatever a library prints must not look like a reply
    os.dup2(nothing, 2)
    os.close(nothing)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(parent, requests), daemon=True).start()
    opening = json.loads(requests.get())
    try:
        connection = _open(opening)
    except Exception as error:
        _reply(replies, {"problem": "open", "message": _first_line(error)})
        return
    _reply(replies, {})
    while True:
        request = json.loads(requests.get())
        _reply(replies, _answer(connection, request))


def _listen(parent: int, requests: queue.SimpleQueue[bytes]) -> None:
    """Hand on each line; end the process with its parent, also while a query runs.

    A parent that was killed shows as the end of stdin, or, where another process inherited the
    other end of it, as a new parent.
    """
    kept = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], _IDLE_CHECK)[0]:
            continue
        piece = os.read(0, 1 << 16)
        if not piece:
            break
        *lines, kept = (kept + piece).split(b"\n")
        for line in lines:
            requests.put(line)
    os._exit(0)


def _open(opening: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": opening["threads"],
            "async_threads": 1,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
        },
    )
    path = opening["path"].replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS {STORE} (READ_ONLY)")
    for name, value in {
        "memory_limit": f"'{opening['memory_mb']}MB'",
        "max_execution_time": str(opening["milliseconds"]),
        "max_temp_directory_size": "'0KB'",
        "pivot_limit": "100",
        "TimeZone": "'UTC'",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "enable_external_access": "false",
        "disabled_filesystems": "'LocalFileSystem'",
        "lock_configuration": "true",
    }.items():
        connection.execute(f"SET GLOBAL {name} = {value}")
    # Not even the columns of a view are read before this: the limits hold for every statement.
    _confine(opening["address_space_mb"])
    return connection


def _confine(address_space_mb: int) -> None:
    """Give up what the process will not need any more: memory, files, other processes."""
    most = address_space_mb << 20
    for limit, value in {
        "RLIMIT_AS": most,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 32,  # the store, the pipes, and modules that Python loads late
        "RLIMIT_NPROC": 0,  # no process and no thread beside those that run by now
    }.items():
        if hasattr(resource, limit):
            number = getattr(resource, limit)
            _, ceiling = resource.getrlimit(number)
            if ceiling != resource.RLIM_INFINITY:
                value = min(value, ceiling)
            resource.setrlimit(number, (value, value))


def _answer(connection: duckdb.DuckDBPyConnection, request: dict[str, Any]) -> dict[str, Any]:
    cursor = connection.cursor()
    try:
        return _run(cursor, request)
    except Unsafe as no:
        reply = {"problem": "unsafe", "message": str(no)}
        if no.function and not _exists(cursor, no.function):
            reply["unknown"] = no.function  # may be a slip of the pen
        return reply
    except MemoryError:
        return {"problem": "memory"}
    except Exception as error:
        return _problem(error)
    finally:
        cursor.close()


def _run(cursor: duckdb.DuckDBPyConnection, request: dict[str, Any]) -> dict[str, Any]:
    tree = _parse(cursor, request["sql"])
    relations = request["relations"]
    check = Check(frozenset(relations))
    check.statement(tree)
    for name in sorted(check.read):
        cursor.execute(f'CREATE TEMP VIEW "{name}" AS {relations[name]["view"]}')
    units = {name: relations[name]["units"] for name in check.read}
    try:
        cursor.execute(request["sql"])
    except Exception as error:
        return {**_problem(error), "columns": sorted(check.columns)}
    description = cursor.description or []
    names = [column[0] for column in description]
    rows, truncated = _fetch(cursor, request["max_rows"], request["max_bytes"])
    if truncated and not rows:
        return {"problem": "large"}
    return {
        "names": names,
        "types": [str(column[1]) for column in description],
        "units": units_of(tree, names, units),
        "rows": rows,
        "truncated": truncated,
        "columns": sorted(check.columns),
        "relations": sorted(check.read),
    }


def _exists(cursor: duckdb.DuckDBPyConnection, function: str) -> bool:
    found = "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?"
    return cursor.execute(found, [function]).fetchone() != (0,)


def _parse(cursor: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except RecursionError:
        raise Unsafe("The statement is nested too deeply.") from None
    if not tree["error"]:
        return tree
    if tree.get("error_type") == "not implemented":
        raise Unsafe("Only a SELECT may be run: this SQL reads, nothing else.")
    message = str(tree.get("error_message", "it cannot be parsed"))
    if "expression depth" in message:
        raise Unsafe("The statement is nested too deeply.")
    raise SyntaxError(message)


def _fetch(
    cursor: duckdb.DuckDBPyConnection, max_rows: int, max_bytes: int
) -> tuple[list[Any], bool]:
    """Rows up to the caps, and whether there were more."""
    rows: list[Any] = []
    size = 0
    while batch := cursor.fetchmany(_FETCH):
        for row in batch:
            if len(rows) == max_rows:
                return rows, True
            cells = [encode(cell) for cell in row]
            size += len(json.dumps(cells))
            if size > max_bytes:
                return rows, True
            rows.append(cells)
    return rows, False


def _problem(error: Exception) -> dict[str, Any]:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return {"problem": "wrong", "message": f"The SQL cannot be read: {error}."}
    if kind in _PLAN_TIME:
        return {"problem": "wrong", "message": _first_line(error)}
    message = _RUN_TIME.get(kind, "The query could not be run.")
    problem = message if message in ("stopped", "memory") else "wrong"
    return {"problem": problem, "message": message}


def _first_line(error: Exception) -> str:
    """DuckDB's message without its prefix and without the picture of the statement."""
    first, *others = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    text = first.partition(" Error: ")[2] or first or "The query could not be run"
    near = [line for line in others if line.startswith(("Candidate bindings", "Did you mean"))]
    return ". ".join([text.rstrip(".!"), *near[:1]]).rstrip("?") + "."


def _reply(descriptor: int, reply: dict[str, Any]) -> None:
    data = json.dumps(reply).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main(int(sys.argv[1]))
