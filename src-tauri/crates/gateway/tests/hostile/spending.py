"""Money: many requests at once, and more of them when the cap is reached."""
import json
import re
import threading

from door import RELAY, TOKEN, statuses
from wall import connected

AT_ONCE = 20
# Seconds: each may wait for those before it.
PATIENCE = 30


def attempts(job):
    return {
        "twenty requests at once": at_once(job["request"]),
        "one more in another model's name": refused_by_the_cap("/v1/messages", {**job["request"], "model": "unknown"}),
        "counting tokens at the cap": refused_by_the_cap("/v1/messages/count_tokens", job["request"]),
    }


def post(path, body):
    text = json.dumps(body)
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"X-Api-Key: {TOKEN}", "Anthropic-Version: 2023-06-01", "Connection: close"]
    return "\r\n".join([*lines, f"Content-Length: {len(text)}", "", text]).encode()


def exchanged(connection, words):
    connection.settimeout(PATIENCE)
    connection.sendall(words)
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said.decode("latin-1")


def verdict(said):
    """`served`, the code of a refusal, or the answer itself where it is neither."""
    codes = re.findall(r"(?im)^x-lanyard-code: (\S+)", said)
    return "served" if statuses(said) == [200] else codes[0] if len(codes) == 1 else said[:200]


def at_once(body):
    """Holds where each is served or refused by the cap, and some are refused."""

    def attempt():
        connections, found = [connected(RELAY) for _ in range(AT_ONCE)], []
        ready = threading.Barrier(AT_ONCE)

        def one(connection):
            with connection:
                ready.wait(PATIENCE)
                found.append(verdict(exchanged(connection, post("/v1/messages", body))))

        threads = [threading.Thread(target=one, args=[connection], daemon=True) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        counted = {kind: found.count(kind) for kind in set(found)}
        whole = len(found) == AT_ONCE and set(counted) == {"served", "SPEND_CAP"}
        return whole, counted

    return attempt


def refused_by_the_cap(path, body):
    def attempt():
        with connected(RELAY) as connection:
            found = verdict(exchanged(connection, post(path, body)))
        return found == "SPEND_CAP", found

    return attempt
