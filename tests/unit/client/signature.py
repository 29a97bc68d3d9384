"""Checks a request's signature as AWS does: the canonical request of Signature Version 4, computed from what came in.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote

import httpx

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def signed_headers(request: httpx.Request) -> list[str]:
    return _parts(request)["headers"].split(";")


def is_signed(request: httpx.Request, *, secret: str, region: str = "us-east-1") -> bool:
    """Whether the signature is right, for execute-api in this region."""
    parts = _parts(request)
    moment = request.headers["x-amz-date"]
    scope = f"{parts['date']}/{region}/execute-api/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(_canonical(request).encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (parts["date"], region, "execute-api", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest() == parts["signature"]


def _canonical(request: httpx.Request) -> str:
    raw_path, _, raw_query = request.url.raw_path.decode().partition("?")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(raw_query, True))
    names = signed_headers(request)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    return "\n".join(
        [
            request.method,
            quote(raw_path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            headers,
            ";".join(names),
            hashlib.sha256(request.content).hexdigest(),
        ]
    )


def _parts(request: httpx.Request) -> dict[str, str]:
    found = _AUTHORIZATION.fullmatch(request.headers["authorization"])
    assert found, request.headers["authorization"]
    return found.groupdict()
