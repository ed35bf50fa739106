"""DuckDB over the files of the Delta tables below the working directory. (Its own Delta reader is an extension that is
not in the package.)"""

import duckdb
from delta import files, tables
from wire import serve

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
for name in tables():
    connection.execute(
        f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet({files(name)}, union_by_name = true, hive_partitioning = true)'
    )


def answer(sql):
    cursor = connection.execute(sql)
    return [column[0] for column in cursor.description], cursor.fetchall()


serve(duckdb.__version__, answer)
