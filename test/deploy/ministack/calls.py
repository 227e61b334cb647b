"""Access as IAM grants it: every call that a role makes is recorded, and whether its policies allow it.

One JSON object a line goes to CALLS_FILE. MiniStack itself verifies signatures and evaluates policies (AUTH=true). It
takes plain HTTP here; so that policies which demand TLS mean the same as on AWS, every request counts as encrypted. It
knows no `s3:if-none-match`, which is added.
"""
import json
import os
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.core import iam_actions, iam_evaluator

enforce = iam_evaluator.enforce
pin_request_origin = iam_evaluator.pin_request_origin
s3_service_context = iam_actions.s3_service_context


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
        keys = iam_evaluator.resolve_principal(access_key_id, caller["accountId"]).keys
        tags = {key: value for key, value in keys.items() if key.startswith("aws:principaltag/")}
        service_context = {**(service_context or {}), **tags}
        call = {"principal": caller["userArn"], "action": iam_action, "resource": resource_arn}
        with open(os.environ["CALLS_FILE"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps({**call, "context": service_context, "allowed": refused is None}) + "\n")
    return refused


def s3_context(iam_action, query_params, path="", headers=None):
    context = s3_service_context(iam_action, query_params, path, headers)
    condition = (headers or {}).get("if-none-match")
    return {**context, "s3:if-none-match": condition} if iam_action == "s3:PutObject" and condition else context


def record():
    iam_actions.s3_service_context = s3_context
    iam_evaluator.enforce = enforce_and_record
    app.pin_request_origin = lambda address, _: pin_request_origin(address, True)
