"""A function without a runtime client: speaks the Runtime API with the standard library alone."""

import base64
import json
import os
import urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"


def post(path, value, headers={}):
    body = json.dumps(value).encode()
    urllib.request.urlopen(urllib.request.Request(API + path, body, headers)).read()


def consume(records):
    """Notes what arrived and reports each record that begins with `bad`."""
    texts = [base64.b64decode(record["kinesis"]["data"]).decode() for record in records]
    with open(os.environ["SEEN"], "a", encoding="utf-8") as seen:
        seen.write(json.dumps({"first": records[0], "texts": texts}) + "\n")
    bad = [r for r, text in zip(records, texts) if text.startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": r["kinesis"]["sequenceNumber"]} for r in bad]}


def wish(event):
    """What the caller wants to happen: the event itself, or the body of an HTTP request."""
    if not isinstance(event, dict):
        return {}
    return json.loads(event["body"]) if event.get("version") == "2.0" and "body" in event else event


while True:
    with urllib.request.urlopen(API + "next") as answer:
        event, headers = json.load(answer), answer.headers
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    wanted = wish(event)
    if "fail" in wanted:
        with open(os.environ["SEEN"], "a", encoding="utf-8") as seen:
            seen.write(json.dumps({"request_id": request_id}) + "\n")
        error = {"errorMessage": wanted["fail"], "errorType": "Failure"}
        post(request_id + "/error", error, {"Lambda-Runtime-Function-Error-Type": "Failure"})
    elif "Records" in wanted:
        post(request_id + "/response", consume(wanted["Records"]))
    else:
        print("a line of the log", flush=True)
        context = {
            "event": event,
            "arn": headers["Lambda-Runtime-Invoked-Function-Arn"],
            "client": headers["Lambda-Runtime-Client-Context"],
            "trace": headers["Lambda-Runtime-Trace-Id"],
        }
        post(request_id + "/response", wanted.get("answer", context))
