"""AWS's own client for Python takes a streamed answer: prints each event with when it came, in seconds from the start."""

import json
import sys
import time

import boto3
from botocore.config import Config

endpoint, wish, folder = sys.argv[1:]
client = boto3.client(
    "lambda",
    endpoint_url=endpoint,
    region_name="eu-west-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"max_attempts": 0}),
)
answer = client.invoke_with_response_stream(FunctionName="shop", Payload=wish.encode(), LogType="Tail")
events = []
for event in answer["EventStream"]:
    if "PayloadChunk" in event:
        events.append(event["PayloadChunk"]["Payload"].decode())
        # The function goes on only now: chunks come one by one, or never.
        open(f"{folder}/go-{len(events)}", "w").close()
    else:
        events.append(event["InvokeComplete"])
print(json.dumps({"status": answer["StatusCode"], "version": answer["ExecutedVersion"], "events": events}))
