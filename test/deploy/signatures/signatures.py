"""Signs requests with AWS's own implementation: one JSON object a line in, its signature a line out."""
import base64
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signature_of(asked):
    request = AWSRequest(asked["method"], asked["url"], asked["headers"], base64.b64decode(asked["body"]))
    request.context["timestamp"] = asked["timestamp"]
    auth = SigV4Auth(Credentials(asked["accessKeyId"], asked["secretAccessKey"]), asked["service"], asked["region"])
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


for line in sys.stdin:
    print(signature_of(json.loads(line)), flush=True)
