"""Another engine, asked over a pipe: a line of JSON in, a line of JSON out.

`peer.py duckdb|chdb TABLE=FOLDER …`: each table is the Parquet files below a folder. A question is
`{"sql": [statement, …]}`; the answer has the rows of all statements, how long they took until the last row was here, and
the most memory that was resident meanwhile. What a person gets is what is timed: rows, not a promise of rows.
"""

import json
import pathlib
import re
import sys
import time


def main():
    engine = {"duckdb": DuckDb, "chdb": ChDb}[sys.argv[1]]()
    for table in sys.argv[2:]:
        name, folder = table.split("=", 1)
        engine.add(name, sorted(str(path) for path in pathlib.Path(folder).rglob("*.parquet")))
    print(json.dumps({"ready": engine.version()}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        forget_peak()
        began = time.perf_counter()
        answers = [engine.ask(engine.whole(sql)) for sql in question["sql"]]
        seconds = time.perf_counter() - began
        rows = [row for answer in answers for row in engine.rows(answer)]
        print(json.dumps({"seconds": seconds, "peak_kb": peak_kb(), "rows": rows}, default=str), flush=True)


class DuckDb:
    """In process, with all cores, footers cached as ours are."""

    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET parquet_metadata_cache = true")
        self.texts = {}

    def version(self):
        return "DuckDB " + self.connection.execute("SELECT version()").fetchone()[0]

    def add(self, name, paths):
        files = ", ".join(f"'{path}'" for path in paths)
        source = f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
        self.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")
        columns = self.connection.execute(f"DESCRIBE {name}").fetchall()
        self.texts[name] = [column for column, kind, *_ in columns if kind == "VARCHAR"]

    def whole(self, sql):
        return any_text(sql, self.texts, lambda column: f'"{column}"')

    def ask(self, sql):
        result = self.connection.execute(sql)
        return [column[0] for column in result.description], result.fetchall()

    def rows(self, answer):
        return narrow(*answer)


class ChDb:
    """ClickHouse in process, with all cores."""

    def __init__(self):
        from chdb.session import Session

        self.session = Session()
        self.texts = {}

    def version(self):
        return "ClickHouse " + json.loads(str(self.session.query("SELECT version()", "JSONCompact")))["data"][0][0]

    def add(self, name, paths):
        folder = pathlib.Path(paths[0]).parents[1]
        parts = ",".join(str(pathlib.Path(path).relative_to(folder)) for path in paths)
        files = f"{folder}/{{{parts}}}" if len(paths) > 1 else paths[0]
        settings = "SETTINGS schema_inference_mode = 'union', schema_inference_make_columns_nullable = 1, use_hive_partitioning = 0"
        described = self.session.query(f"DESCRIBE file('{files}', 'Parquet') {settings}", "JSONCompact")
        columns = [row[:2] for row in json.loads(str(described))["data"]]
        structure = ", ".join(f"`{column}` {kind}" for column, kind in columns).replace("'", "\\'")
        self.session.query(f"CREATE VIEW {name} AS SELECT * FROM file('{files}', 'Parquet', '{structure}')")
        self.texts[name] = [column for column, kind in columns if "String" in kind]

    def whole(self, sql):
        return any_text(sql, self.texts, lambda column: f"`{column}`")

    def ask(self, sql):
        return self.session.query(sql, "JSONCompact").bytes()

    def rows(self, answer):
        answer = json.loads(answer)
        return narrow([column["name"] for column in answer["meta"]], answer["data"])


def any_text(sql, texts, quoted):
    """`ANY_TEXT(table, 'x')` is that some text column of the table has x in it."""
    def condition(found):
        table, needle = found.groups()
        return "(" + " OR ".join(f"{quoted(column)} LIKE '%{needle}%'" for column in texts[table]) + ")"

    return re.sub(r"ANY_TEXT\((\w+), '([^']*)'\)", condition, sql)


def narrow(names, rows):
    """Of whole events their ids: they are compared by them."""
    return [[row[names.index("id")]] for row in rows] if "ingested_at" in names else [list(row) for row in rows]


def forget_peak():
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def peak_kb():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main()
