#!/usr/bin/env python3
"""Drives the checkout application in a local Lambda environment and proves that no line was lost or doubled.

It starts `limelight dev`, sends a few hundred orders through the HTTP front (bursts with concurrency, pauses in
which sandboxes freeze, slow orders, errors, timeouts), shows what a person would look at, and then looks for each
line that the functions must have printed. The expected lines come from the orders it sent and the answers it got,
never from telemetry. Exit code 0: each line was found exactly once. 1: the missing and the double ones are named.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

HERE = pathlib.Path(__file__).resolve().parent
MARK = re.compile(r"mk=([0-9a-f]{12}):([0-9A-Za-z-]+):([a-z-]+)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# What one order makes each function print, by scenario: the contract between this program and the two functions.
ALWAYS = ["api-received", "api-accepted", "api-charging", "api-metric", "payment-charging", "payment-checked"]
BY_SCENARIO = {
    "ok": ["api-completed"],
    "slow": ["payment-slow", "api-completed"],
    "error": ["payment-declined", "api-failed"],
    "timeout": ["payment-stuck", "api-failed"],
}
STATUS = {"ok": 200, "slow": 200, "error": 502, "timeout": 504}

# The lines are counted with one query, which answers with 10,000 events; an order prints up to eight.
ORDERS_MAX = 1_200
WORKERS = 6
# Orders between two pauses.
BURST = 60
# Longer than the time a function needs to become idle: every burst begins with a thaw.
PAUSE_SECONDS = 1.5
# How long a sandbox without work lives. On a busy machine a frozen one may still have its last lines, as on Lambda: it
# ships them when it goes.
IDLE_SECONDS = 10
# The longest that a line may take from print to query before it counts as lost.
SETTLE_SECONDS = 60


def main():
    options = arguments()
    run = uuid.uuid4().hex[:12]
    say(f"run {run}: {options.orders} orders, seed {options.seed}")
    with Limelight(options, run) as limelight:
        orders = plan(options.orders, options.seed, run)
        began = time.monotonic()
        expected, trace = drive(limelight.http, orders, run)
        say(f"{len(orders)} orders answered in {time.monotonic() - began:.1f} s; {len(expected)} lines were printed")
        found = settle(limelight, run, expected)
        pictures(limelight, trace)
        good = verdict(expected, found)
        if options.stay:
            say("staying up; Ctrl-C ends it\n" + json.dumps(limelight.addresses, indent=2))
            limelight.wait()
    return 0 if good else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limelight", required=True, help="the built command")
    parser.add_argument("--extension", required=True, help="the built extension")
    parser.add_argument("--python", required=True, help="a Python that has awslambdaric and boto3")
    parser.add_argument("--node", help="a folder with node_modules/aws-lambda-ric; without it payment runs in Python")
    parser.add_argument("--payment", default=os.environ.get("PAYMENT") or "node",
                        help="node or python: what the payment function runs in (default: $PAYMENT, else node)")
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="state folder (default: a new one, removed at the end)")
    parser.add_argument("--stay", action="store_true", help="stay up after the verdict")
    options = parser.parse_args()
    if not 1 <= options.orders <= ORDERS_MAX:
        parser.error(f"--orders must be 1 to {ORDERS_MAX}, not {options.orders}")
    if options.payment not in ("node", "python"):
        parser.error(f"--payment (or PAYMENT) must be node or python, not {options.payment}")
    return options


def say(text):
    print(f"\n● {text}", flush=True)


class Progress:
    """One line that a terminal sees grow; a log only gets its last state. Leaving the context ends the line."""

    WIDTH = 30

    def __init__(self, total, what):
        self.total, self.what = total, what
        self.live = sys.stdout.isatty()
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        print(("\r" if self.live else "") + self.text, flush=True)

    def show(self, done, note=""):
        filled = self.WIDTH * done // max(1, self.total)
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        # Blanks at the end wipe what a longer state before has left.
        self.text = f"  {bar} {done} of {self.total} {self.what}{note}".ljust(len(self.text))
        if self.live:
            print("\r" + self.text, end="", flush=True)


class Limelight:
    """A running `limelight dev` with the two functions; leaving the context ends it as Ctrl-C does."""

    def __init__(self, options, run):
        self.command = options.limelight
        self.temporary = None if options.data else tempfile.mkdtemp(prefix="limelight-demo-")
        self.data = pathlib.Path(options.data or self.temporary)
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = open(self.data / "dev.log", "w+", encoding="utf-8")
        config = self.data / "functions.json"
        config.write_text(json.dumps(functions(options, run), indent=2))
        self.process = subprocess.Popen(
            [self.command, "dev", "--config", str(config), "--data", str(self.data), "--port-base", "0",
             "--extension", options.extension, "--format", "json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        line = self.process.stdout.readline()
        if not line.strip():
            self.log.seek(0)
            sys.exit(f"limelight dev did not start:\n{self.log.read()}")
        self.addresses = json.loads(line)
        self.http = self.addresses["http"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = "killed after 60 s"
        if code != 0:
            self.log.seek(0)
            print(f"limelight dev ended with {code}:\n{self.log.read()[-4000:]}", file=sys.stderr)
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)

    def wait(self):
        try:
            self.process.wait()
        except KeyboardInterrupt:
            pass

    def query(self, text, *flags, show=True):
        """What a person would type, shown with its answer."""
        command = [self.command, "query", text, "--endpoint", self.addresses["api"], *flags]
        if show:
            print(f"\n$ limelight query '{text}' {' '.join(flags)}", flush=True)
        return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True,
                              stdout=None if show else subprocess.PIPE).stdout

    def trace(self, trace_id):
        print(f"\n$ limelight trace {trace_id}", flush=True)
        subprocess.run([self.command, "trace", trace_id, "--endpoint", self.addresses["api"]],
                       check=True, stdin=subprocess.DEVNULL)


def functions(options, run):
    # No credentials are needed on loopback, but the SDKs will not start without some.
    env = {"DEMO_RUN": run, "LIMELIGHT_SERVICE": "checkout"}
    python = [options.python, "-m", "awslambdaric", "app.handler"]
    api = {
        "name": "checkout-api", "command": python, "handler": "app.handler", "dir": str(HERE / "api"), "env": env,
        "memoryMb": 512, "timeoutSeconds": 15, "concurrency": 4, "idleSeconds": IDLE_SECONDS,
        "routes": ["POST /checkout"],
    }
    payment = {
        "name": "payment", "handler": "app.handler", "command": python, "dir": str(HERE / "payment"), "env": env,
        "memoryMb": 512, "timeoutSeconds": 3, "concurrency": 6, "idleSeconds": IDLE_SECONDS,
    }
    if options.node and options.payment == "node":
        client = pathlib.Path(options.node) / "node_modules/aws-lambda-ric/bin/index.mjs"
        payment.update(handler="index.handler", command=["node", str(client), "index.handler"])
    return {"functions": [api, payment]}


def plan(count, seed, run):
    """Orders in bursts: mostly well, one in ten slow, one in ten declined, one in a hundred that never ends."""
    chance = random.Random(seed)
    scenarios = ["timeout"] * max(1, count // 100) + ["slow"] * (count // 10) + ["error"] * (count // 10)
    scenarios += ["ok"] * (count - len(scenarios))
    chance.shuffle(scenarios)
    return [
        {"run": run, "id": f"o{number:04}", "scenario": scenario, "amount": chance.randrange(100, 10_000)}
        for number, scenario in enumerate(scenarios)
    ]


def drive(http, orders, run):
    """Sends the orders; gives the markers that must be found, and the trace id of one slow order."""
    expected = set()
    epoch = f"{int(time.time()):08x}"
    traces = {order["id"]: f"{epoch}{uuid.uuid4().hex[:24]}" for order in orders}
    bursts = [orders[start:start + BURST] for start in range(0, len(orders), BURST)]
    began, answered = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool, Progress(len(orders), "orders answered") as progress:
        progress.show(0)
        for number, burst in enumerate(bursts, 1):
            for order, (status, body) in zip(burst, pool.map(lambda order: send(http, order, traces), burst)):
                if status != STATUS[order["scenario"]]:
                    sys.exit(f"\norder {order['id']} ({order['scenario']}) was answered with {status}: {body}")
                expected |= lines_of(order, body, run)
                answered += 1
                note = f", burst {number} of {len(bursts)}, {time.monotonic() - began:.0f} s"
                progress.show(answered, note)
            time.sleep(PAUSE_SECONDS)
    slow = next((order for order in orders if order["scenario"] == "slow"), orders[0])
    return expected, traces[slow["id"]]


def lines_of(order, body, run):
    """The markers of all lines that an order made the functions print, by its scenario and its answer."""
    tags = ALWAYS + BY_SCENARIO[order["scenario"]]
    instances = [body.get("instance"), (body.get("payment") or {}).get("instance")]
    return {(run, order["id"], tag) for tag in tags} | {(run, instance, "init") for instance in instances if instance}


def send(http, order, traces):
    trace = traces[order["id"]]
    request = urllib.request.Request(
        f"{http}/checkout", method="POST", data=json.dumps(order).encode(),
        headers={"content-type": "application/json", "x-amzn-trace-id": f"Root=1-{trace[:8]}-{trace[8:]};Sampled=1"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return error.code, json.loads(text)
        except ValueError:
            return error.code, {"text": text.decode(errors="replace")}


def settle(limelight, run, expected):
    """Looks until every expected line is there or time is up; gives how often each marker was found."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with Progress(len(expected), "lines found") as progress:
        while True:
            found = markers(limelight, run)
            missing = sum(1 for mark in expected if mark not in found)
            progress.show(len(expected) - missing)
            if not missing or time.monotonic() > deadline:
                return found
            time.sleep(1)


def markers(limelight, run):
    """Each marker of the run with the number of events that hold it."""
    text = f'FROM lambda-logs SEARCH "{run}" LIMIT 10000 LAST 1h'
    try:
        answer = json.loads(limelight.query(text, "--format", "json", show=False))
    except subprocess.CalledProcessError:
        # Before the first commit there is no dataset, which the command says with its exit code.
        return collections.Counter()
    found = collections.Counter()
    for event in answer["events"]:
        found.update(set(MARK.findall(json.dumps(event))))
    return found


def pictures(limelight, trace):
    say("what the functions did")
    limelight.query("COUNT as invocations, MEDIAN(@duration) as median_ms, P99(@duration) as p99_ms, MAX(@maxMemoryUsed) as "
                    "memory_mb FROM lambda-logs WHERE @type = REPORT GROUP BY $limelight.namespace ORDER BY invocations")
    limelight.query("COUNT as lines FROM lambda-logs GROUP BY $limelight.namespace, $limelight.level ORDER BY lines")
    say("log lines over time")
    limelight.query("COUNT as lines FROM lambda-logs GROUP BY $limelight.namespace LAST 3m EVERY 3s", "--format", "chart")
    say("one slow order, through both functions")
    limelight.trace(trace)
    say("the delivery account: what the extensions received, shipped, shed and lost")
    limelight.query("MAX(received) as received, MAX(shipped) as shipped, MAX(retried) as retried, COUNT as batches "
                    "FROM limelight WHERE $limelight.name = delivery GROUP BY sandbox, $limelight.namespace")


def verdict(expected, found):
    missing = sorted(expected - set(found))
    double = sorted(mark for mark, times in found.items() if times > 1)
    say(f"{len(expected)} lines expected, {len(expected) - len(missing)} found, {len(missing)} missing, {len(double)} double")
    for name, marks in (("missing", missing), ("double", double)):
        for mark in marks[:50]:
            print(f"  {name}: {':'.join(mark)}")
    return not missing and not double


if __name__ == "__main__":
    sys.exit(main())
