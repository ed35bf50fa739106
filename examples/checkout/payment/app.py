"""The payment function for machines on which Node's runtime client does not build: the same lines as index.mjs."""

import json
import logging
import os
import time
import uuid

INSTANCE = uuid.uuid4().hex[:12]

logging.getLogger().setLevel(logging.INFO)
LOG = logging.getLogger("payment")

print(f"payment is starting mk={os.environ.get('DEMO_RUN', 'none')}:{INSTANCE}:init")


def handler(order, context):
    mark = f"mk={order.get('run')}:{order.get('id')}:"
    scenario = order.get("scenario")
    LOG.info("charging %s %s", order.get("amount"), mark + "payment-charging")
    line = {"level": "info", "message": "card checked", "mark": mark + "payment-checked", "card": {"brand": "visa"}}
    print(json.dumps(line))

    if scenario == "slow":
        time.sleep(0.9)
        LOG.warning("the bank is slow %s", mark + "payment-slow")
    if scenario == "timeout":
        LOG.error("no answer from the bank %s", mark + "payment-stuck")
        time.sleep(60)
    if scenario == "error":
        raise RuntimeError(f"card declined {mark}payment-declined")
    return {"instance": INSTANCE, "charged": order.get("amount")}
