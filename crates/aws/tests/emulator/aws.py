"""What the tests ask of the emulator that no deployment says: aws.py WHAT, with its input as JSON on standard input."""

import json
import os
import sys

import botocore.session

SESSION = botocore.session.get_session()


def client(service):
    return SESSION.create_client(
        service,
        region_name=os.environ["AWS_REGION"],
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def parameters():
    """Writes each as a SecureString."""
    for name, value in json.load(sys.stdin).items():
        client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def api():
    """The id of the one HTTP API there is."""
    (only,) = client("apigatewayv2").get_apis()["Items"]
    print(only["ApiId"])


def queues():
    """How many messages lie in each queue."""
    sqs, depths = client("sqs"), {}
    for url in sqs.list_queues().get("QueueUrls", []):
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        depths[url.rsplit("/", 1)[-1]] = int(asked["Attributes"]["ApproximateNumberOfMessages"])
    print(json.dumps(depths))


def aside():
    """What lies in each queue, in short: which function could not do what, and why."""
    sqs, found = client("sqs"), []
    for url in sqs.list_queues().get("QueueUrls", []):
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        found += [f"{url.rsplit('/', 1)[-1]}: {message['Body'][:2000]}" for message in taken]
    print("\n".join(found))


def left():
    """Everything that a removed deployment must not leave behind."""
    found = {
        "functions": [f["FunctionName"] for f in client("lambda").list_functions()["Functions"]],
        "topics": [t["TopicArn"] for t in client("sns").list_topics()["Topics"]],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "roles": [r["RoleName"] for r in client("iam").list_roles()["Roles"]],
        "schedules": [s["Name"] for s in client("scheduler").list_schedules()["Schedules"]],
        "apis": [a["ApiId"] for a in client("apigatewayv2").get_apis()["Items"]],
        "log groups": [g["logGroupName"] for g in client("logs").describe_log_groups()["logGroups"]],
        "buckets": [b["Name"] for b in client("s3").list_buckets()["Buckets"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "alarms": [a["AlarmName"] for a in client("cloudwatch").describe_alarms()["MetricAlarms"]],
    }
    print(json.dumps({kind: names for kind, names in found.items() if names}))


def tap():
    """From now on keeps a copy of what is published on the topics of these functions."""
    for name in json.load(sys.stdin):
        url = client("sqs").create_queue(QueueName=f"tap-{name}")["QueueUrl"]
        asked = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        queue = asked["Attributes"]["QueueArn"]
        client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(kept(queue))})
        client("sns").subscribe(TopicArn=topic(name), Protocol="sqs", Endpoint=queue)


def kept(queue):
    """Whatever a topic says may be put into this queue."""
    service = {"Service": "sns.amazonaws.com"}
    allowed = {"Effect": "Allow", "Principal": service, "Action": "sqs:SendMessage", "Resource": queue}
    return {"Version": "2012-10-17", "Statement": [allowed]}


def tapped():
    """What was published on the topic of this function since the last time it was asked, in order."""
    sqs, found = client("sqs"), []
    url = sqs.get_queue_url(QueueName=f"tap-{json.load(sys.stdin)}")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"])["Message"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    print(json.dumps(found))


def publish():
    """Publishes each of these messages on the topic of this function, so many times."""
    asked = json.load(sys.stdin)
    region = {"region": {"DataType": "String", "StringValue": os.environ["AWS_REGION"]}}
    messages = [message for message in asked["messages"] for _ in range(asked["times"])]
    for start in range(0, len(messages), 10):
        entries = [
            {"Id": str(n), "Message": message, "MessageAttributes": region}
            for n, message in enumerate(messages[start : start + 10])
        ]
        answer = client("sns").publish_batch(TopicArn=topic(asked["function"]), PublishBatchRequestEntries=entries)
        assert not answer["Failed"], answer


def topic(function):
    (only,) = [t["TopicArn"] for t in client("sns").list_topics()["Topics"] if t["TopicArn"].endswith(f"-{function}")]
    return only


WHAT = {
    "parameters": parameters,
    "api": api,
    "queues": queues,
    "aside": aside,
    "left": left,
    "tap": tap,
    "tapped": tapped,
    "publish": publish,
}
WHAT[sys.argv[1]]()
