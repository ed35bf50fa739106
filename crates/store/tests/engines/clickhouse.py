"""ClickHouse in this process (chdb), over the Delta tables below the working directory, one table for each folder. It
reads them with a reader of its own (delta-kernel-rs)."""

import json
import os

from chdb.session import Session
from wire import serve

# What the dialect counts on, times in UTC, and numbers as JSON without losing digits.
SETTINGS = """
    prefer_column_name_to_alias = 1, session_timezone = 'UTC', output_format_json_quote_64bit_integers = 1,
    output_format_json_quote_denormals = 1, output_format_json_escape_forward_slashes = 0
"""

session = Session()
session.query("CREATE DATABASE tables")
session.query("USE tables")
for name in sorted(os.listdir(".")):
    if os.path.isdir(os.path.join(name, "_delta_log")):
        place = os.path.abspath(name)
        session.query(f"CREATE TABLE tables.\"{name}\" ENGINE = DeltaLakeLocal('{place}')")


def answer(sql):
    result = session.query(f"{sql} SETTINGS {SETTINGS}", "JSONCompact")
    result = json.loads(str(result), parse_int=str, parse_float=str)
    return [column["name"] for column in result["meta"]], result["data"]


serve(str(session.query("SELECT version()", "TSV")).strip(), answer)
