"""A function without a runtime client: speaks the Runtime API with the standard library alone."""

import base64
import http.client
import json
import os
import time
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


def stream(request_id, wanted):
    """Sends parts as chunks; before each but the first waits for a file, so that the caller can have seen the last."""
    folder = os.path.dirname(os.environ["SEEN"])
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.putrequest("POST", f"/2018-06-01/runtime/invocation/{request_id}/response")
    connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Content-Type", wanted.get("type", "text/plain"))
    connection.endheaders()
    for number, part in enumerate(wanted["parts"]):
        while number and not os.path.exists(f"{folder}/go-{number}"):
            time.sleep(0.01)
        if part is None:
            os._exit(9)
        data = part.encode()
        connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    connection.send(b"0\r\n\r\n")
    connection.getresponse().read()


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
    elif "stream" in wanted:
        stream(request_id, wanted["stream"])
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
