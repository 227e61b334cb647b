"""Starts MiniStack with the CloudFormation types that it lacks.

Most of them are recorded only: they get an id, and that is all (RECORDED). A cluster becomes one of MiniStack's own
MSK service, so that GetBootstrapBrokers knows it. A topic is made on a real Kafka by the test that started us
(TOPICS_URL). Alarms are evaluated as in alarms.py. A bucket keeps its tags and its replication, a secret is known by its ARN. The schedule's `<aws.scheduler.scheduled-time>`, which MiniStack leaves as it is, becomes the time.
This touches MiniStack's inside: its version is pinned in ministack.ts.
"""
import json
import os
import urllib.request
from datetime import datetime, timezone

import alarms
import calls
from ministack import app
from ministack.services import eventbridge, msk, s3, scheduler
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

RECORDED = [
    "AWS::Athena::NamedQuery",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
]
ATTRIBUTES = {"AWS::EC2::EIP": {"AllocationId": "eipalloc-0123456789abcdef0"}}


def recorded(resource_type):
    def create(logical_id, props, stack):
        return f"{stack}-{logical_id}", dict(ATTRIBUTES.get(resource_type, {}))

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack: (physical_id, dict(ATTRIBUTES.get(resource_type, {}))),
        "delete": lambda physical_id, props: None,
    }


def create_cluster(logical_id, props, stack):
    body = {"clusterName": props["ClusterName"], "numberOfBrokerNodes": int(props["NumberOfBrokerNodes"])}
    status, _, answer = msk._create_cluster(json.dumps(body))
    if status != 200:
        raise ValueError(f"MSK refused the cluster: {answer}")
    arn = json.loads(answer)["clusterArn"]
    return arn, {"Arn": arn}


def topics(method, props):
    """Asks the test to make or delete a topic on the real Kafka."""
    request = urllib.request.Request(
        os.environ["TOPICS_URL"],
        method=method,
        data=json.dumps(props).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


def create_topic(logical_id, props, stack):
    topics("PUT", props)
    arn = props["ClusterArn"].replace(":cluster/", ":topic/") + "/" + props["TopicName"]
    return arn, {"TopicArn": arn}


def update_topic(physical_id, old, new, stack):
    topics("PUT", new)
    return physical_id, {"TopicArn": physical_id}


_RESOURCE_HANDLERS.update({resource_type: recorded(resource_type) for resource_type in RECORDED})
_RESOURCE_HANDLERS["AWS::MSK::Cluster"] = {
    "create": create_cluster,
    "update": lambda physical_id, old, new, stack: (physical_id, {"Arn": physical_id}),
    "delete": lambda physical_id, props: msk._delete_cluster(physical_id),
}
_RESOURCE_HANDLERS["AWS::MSK::Topic"] = {
    "create": create_topic,
    "update": update_topic,
    "delete": lambda physical_id, props: topics("DELETE", props),
}

alarms.teach()
calls.record()

create_bucket = _RESOURCE_HANDLERS["AWS::S3::Bucket"]["create"]


def create_bucket_with_tags(logical_id, props, stack):
    bucket, attributes = create_bucket(logical_id, props, stack)
    if "ReplicationConfiguration" in props:
        s3._bucket_replication[bucket] = props["ReplicationConfiguration"]
    # CDK empties only a bucket that is tagged for it.
    s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}
    return bucket, attributes


_RESOURCE_HANDLERS["AWS::S3::Bucket"]["create"] = create_bucket_with_tags

secret = _RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]


def secret_name(arn):
    return arn.split(":secret:")[1].rsplit("-", 1)[0]


def create_secret(logical_id, props, stack):
    _, attributes = secret["create"](logical_id, props, stack)
    # What Ref gives on AWS, and so what the policies name.
    return attributes["Arn"], attributes


_RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
    "create": create_secret,
    "update": lambda arn, old, new, stack: (arn, secret["update"](secret_name(arn), old, new, stack)[1]),
    "delete": lambda arn, props: secret["delete"](secret_name(arn), props),
}

invoke_target = eventbridge._invoke_target


def invoke_with_scheduled_time(target, event, schedule):
    # Our schedules lie on whole minutes.
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:00Z")
    given = target.get("Input", "").replace("<aws.scheduler.scheduled-time>", now)
    return invoke_target({**target, "Input": given} if given else target, event, schedule)


eventbridge._invoke_target = invoke_with_scheduled_time
scheduler._SCHEDULE_TICK_INTERVAL = 1

app.main()
