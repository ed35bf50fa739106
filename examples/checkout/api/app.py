"""POST /checkout: takes an order, charges it through the payment function, answers with what came of it.

Logs in the four ways that Python functions log: a plain print, a JSON line, the logging module, an embedded metric.
Each line carries a marker `mk=<run>:<order>:<tag>`, so that the demo can count every line it caused.
"""

import json
import logging
import os
import time
import uuid

import boto3

INSTANCE = uuid.uuid4().hex[:12]
RUN = os.environ.get("DEMO_RUN", "none")

logging.getLogger().setLevel(logging.INFO)
LOG = logging.getLogger("checkout")
LAMBDA = boto3.client("lambda")

print(f"checkout is starting mk={RUN}:{INSTANCE}:init")


def handler(event, context):
    order = json.loads(event.get("body") or "{}")
    mark = f"mk={order.get('run')}:{order.get('id')}:"
    print(f"order received {mark}api-received")
    emit("info", "order accepted", mark + "api-accepted", order=order)
    LOG.info("charging %s %s", order.get("amount"), mark + "api-charging")

    begin = time.monotonic()
    answer, failure = charge(order)
    metric("ChargeDuration", (time.monotonic() - begin) * 1000, "Milliseconds", mark + "api-metric")

    if failure:
        try:
            # Without the payment function's own marker: that line is the payment function's to print.
            raise PaymentFailed(failure.split(" mk=")[0])
        except PaymentFailed:
            LOG.exception("payment failed %s", mark + "api-failed")
        return response(504 if "timed out" in failure else 502, {"error": failure})
    emit("info", "order completed", mark + "api-completed", order={"id": order.get("id")}, payment=answer)
    return response(200, {"payment": answer})


class PaymentFailed(Exception):
    """The payment function answered with an error."""


def charge(order):
    """The payment's answer, or the text of its failure. botocore passes the trace header on."""
    result = LAMBDA.invoke(FunctionName="payment", Payload=json.dumps(order).encode())
    payload = json.loads(result["Payload"].read() or b"null")
    if "FunctionError" in result:
        return None, (payload or {}).get("errorMessage", "unknown")
    return payload, None


def emit(level, message, mark, **fields):
    print(json.dumps({"level": level, "message": message, "mark": mark, **fields}))


def metric(name, value, unit, mark):
    """CloudWatch Embedded Metric Format: a log line that is also a metric."""
    definition = {"Namespace": "Checkout", "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": unit}]}
    aws = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [definition]}
    print(json.dumps({"_aws": aws, "service": "checkout", name: value, "mark": mark}))


def response(status, body):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"instance": INSTANCE, **body}),
    }
