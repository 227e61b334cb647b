"""Access as IAM grants it: every call that a role makes is recorded, and whether its policies allow it.

One JSON object a line goes to CALLS_FILE. MiniStack itself verifies signatures and evaluates policies (AUTH=true). It
takes plain HTTP here; so that policies which demand TLS mean the same as on AWS, every request counts as encrypted.
"""
import json
import os
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.core import iam_evaluator

enforce = iam_evaluator.enforce
pin_request_origin = iam_evaluator.pin_request_origin


def service_linked_role(request):
    (service,) = parse_qs(request.body.decode())["AWSServiceName"]
    role = f"arn:aws:iam::000000000000:role/aws-service-role/{service}/{SERVICE_LINKED_ROLES[service]}"
    return role, {"iam:AWSServiceName": service}


def cluster(request):
    # /v1/clusters/<ARN>/bootstrap-brokers
    return unquote(request.raw_path.split("/")[3]), {}


SERVICE_LINKED_ROLES = {"opensearchservice.amazonaws.com": "AWSServiceRoleForAmazonOpenSearchService"}
# Resource and condition keys where MiniStack does not get them right.
RESOURCES = {"iam:CreateServiceLinkedRole": service_linked_role, "kafka:GetBootstrapBrokers": cluster}


def enforce_and_record(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    caller = iam_evaluator.resolve_caller_identity(access_key_id) or {}
    if iam_action in RESOURCES:
        resource_arn, service_context = RESOURCES[iam_action](iam_evaluator._signed_request.get())
    refused = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    if ":assumed-role/" in caller.get("userArn", ""):
        call = {"principal": caller["userArn"], "action": iam_action, "resource": resource_arn}
        with open(os.environ["CALLS_FILE"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps({**call, "context": service_context, "allowed": refused is None}) + "\n")
    return refused


def record():
    iam_evaluator.enforce = enforce_and_record
    app.pin_request_origin = lambda address, _: pin_request_origin(address, True)
