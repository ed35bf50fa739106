"""Printed → found by a query: the age of 1,000 lines at the moment a query first returns them.

A function prints lines that carry the time of their print; this program polls the query API and notes for each line
when it first saw it. The poll's own pause and the query's own time are part of the figure, as they are for a person.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

LINES = 1_000
LINES_PER_INVOCATION = 5
INVOCATIONS_PER_SECOND = 10
POLL_SECONDS = 0.05
GIVE_UP_SECONDS = 60
TARGETS_MS = {"p50": 2_000, "p99": 5_000}
PRINTED = re.compile(r"fresh (\d+) at (\d+\.\d+)")

FUNCTION = '''
import time

def handler(event, context):
    for number in event["numbers"]:
        print(f"fresh {number} at {time.time():.4f}")
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("limelight", "extension", "python", "results"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ages = measure(options, pathlib.Path(folder))
    report(options.results, ages)


def measure(options, folder):
    (folder / "app.py").write_text(FUNCTION)
    config = folder / "functions.json"
    function = {
        "name": "fresh", "command": [options.python, "-m", "awslambdaric", "app.handler"], "handler": "app.handler",
        "dir": str(folder), "memoryMb": 256, "timeoutSeconds": 10, "concurrency": 1,
    }
    config.write_text(json.dumps({"functions": [function]}))
    process = subprocess.Popen(
        [options.limelight, "dev", "--config", config, "--data", folder / "data", "--port-base", "0",
         "--extension", options.extension, "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        addresses = json.loads(process.stdout.readline())
        driver = threading.Thread(target=drive, args=(addresses["invoke"],), daemon=True)
        driver.start()
        return watch(addresses["api"])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def drive(invoke):
    for first in range(0, LINES, LINES_PER_INVOCATION):
        began = time.monotonic()
        numbers = list(range(first, min(first + LINES_PER_INVOCATION, LINES)))
        post(f"{invoke}/2015-03-31/functions/fresh/invocations", {"numbers": numbers})
        time.sleep(max(0, 1 / INVOCATIONS_PER_SECOND - (time.monotonic() - began)))


def watch(api):
    """Seconds from print to first sight, by line."""
    ages, deadline = {}, time.monotonic() + GIVE_UP_SECONDS
    while len(ages) < LINES and time.monotonic() < deadline:
        text = 'FROM lambda-logs SEARCH "fresh" LIMIT 300 LAST 5m'
        try:
            answer = post(f"{api}/v1/query", {"text": text})
        except urllib.error.HTTPError:
            time.sleep(POLL_SECONDS)
            continue
        seen = time.time()
        for event in (answer.get("data") or answer)["events"]:
            line = PRINTED.search(json.dumps(event))
            if line and line[1] not in ages:
                ages[line[1]] = seen - float(line[2])
        time.sleep(POLL_SECONDS)
    if len(ages) < LINES:
        raise SystemExit(f"only {len(ages)} of {LINES} lines were found")
    return sorted(ages.values())


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def report(path, ages):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    percentiles = statistics.quantiles(ages, n=100)
    with open(path, "a", encoding="utf-8") as results:
        for name, seconds in (("p50", percentiles[49]), ("p99", percentiles[98])):
            value = round(seconds * 1000)
            line = {
                "figure": f"printed → queryable {name}", "value": value, "unit": "ms", "target": TARGETS_MS[name],
                "holds": value <= TARGETS_MS[name], "commit": commit, "machine": f"{platform.machine()} {os.cpu_count()} cores",
            }
            print(json.dumps(line, ensure_ascii=False))
            results.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
