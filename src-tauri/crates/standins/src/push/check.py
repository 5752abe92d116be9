# The browser's and the push service's side of Web Push. Reads one request as JSON, answers with JSON; dies of what is wrong.
import base64
import json
import os
import sys
import time

import http_ece
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def un64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def keys():
    private = ec.generate_private_key(ec.SECP256R1())
    secret = private.private_numbers().private_value.to_bytes(32, "big")
    return {"p256dh": b64(point(private.public_key())), "auth": b64(os.urandom(16)), "private": b64(secret)}


def sender(asked):
    scheme, _, rest = asked["authorization"].partition(" ")
    assert scheme.lower() == "vapid", scheme
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert given["k"] == asked["server_key"], "another gateway's key"
    words, _, signature = given["t"].rpartition(".")
    head, claims = (json.loads(un64(part)) for part in words.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}, head
    raw = un64(signature)
    assert len(raw) == 64, len(raw)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), un64(given["k"]))
    public.verify(der, words.encode(), ec.ECDSA(hashes.SHA256()))
    assert claims["aud"] == asked["origin"], claims["aud"]
    assert 0 < claims["exp"] - time.time() <= 24 * 3600, claims["exp"]
    return claims


def opened(asked):
    claims = sender(asked)
    private = ec.derive_private_key(int.from_bytes(un64(asked["keys"]["private"]), "big"), ec.SECP256R1())
    words = http_ece.decrypt(
        un64(asked["body"]), private_key=private, auth_secret=un64(asked["keys"]["auth"]), version="aes128gcm"
    )
    return {"claims": claims, "words": words.decode()}


asked = json.load(sys.stdin)
ways = {"keys": keys, "open": lambda: opened(asked), "sender": lambda: {"claims": sender(asked)}}
print(json.dumps(ways[asked["do"]]()))
