"""A runtime of a few lines, as the layer's wrapper starts it: answers so many invocations over one connection, and
prints, in JSON, where its exporters point and how long each invocation took from event to accepted answer."""

import http.client
import json
import os
import sys
import time

count = int(sys.argv[1])
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = api.getresponse()
    return answer, answer.read()


took_ms = []
for _ in range(count):
    answer, event = call("GET", "next")
    began = time.perf_counter()
    request_id = answer.getheader("Lambda-Runtime-Aws-Request-Id")
    response = {"statusCode": 201, "body": json.dumps({"echo": json.loads(event)})}
    answer, _ = call("POST", request_id + "/response", json.dumps(response))
    assert answer.status == 202, answer.status
    took_ms.append(1000 * (time.perf_counter() - began))

said = {name: os.environ.get(name) for name in sorted(os.environ) if name.startswith(("OTEL_", "NEXT_"))}
print(json.dumps({"environment": said, "api": os.environ["AWS_LAMBDA_RUNTIME_API"], "took_ms": took_ms}))
