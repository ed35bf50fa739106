"""The files of a Delta table as its log names them, for readers that know Parquet but not Delta."""

import glob
import json
import os


def files(table):
    """Paths of the files that are in the table now. The log must begin at its first entry."""
    live = {}
    entries = sorted(glob.glob(os.path.join(table, "_delta_log", "*.json")))
    if not entries or int(os.path.basename(entries[0])[:20]) != 0:
        raise ValueError(f"the log of {table} does not begin at its first entry")
    for entry in entries:
        with open(entry) as lines:
            for line in lines:
                action = json.loads(line)
                if "add" in action:
                    live[action["add"]["path"]] = os.path.abspath(os.path.join(table, action["add"]["path"]))
                if "remove" in action:
                    live.pop(action["remove"]["path"], None)
    return sorted(live.values())


def tables():
    """Each table below the working directory by name."""
    return [name for name in sorted(os.listdir(".")) if os.path.isdir(os.path.join(name, "_delta_log"))]
