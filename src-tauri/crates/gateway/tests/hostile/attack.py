"""A hostile program in the sandbox, as the agent's user and with the agent's environment.

`attack.py ROUND` reads job.json beside it, makes every attempt of the round and writes ROUND.jsonl, a line {"attempt", "held",
"detail"} for each. An attempt holds only where a wall refused it for that wall's own reason: one that merely took too long has not
been held by anything.
"""
import json
import os
import signal
import sys

import door
import filling
import planted
import spending
import walls

ROUNDS = {
    "walls": walls.attempts,
    "door": door.attempts,
    "filling": filling.attempts,
    "own_answers": door.own_answers,
    "spending": spending.attempts,
    "planted": planted.attempts,
}
# Seconds for a whole round: what is not written by then is missed by whoever reads the lines.
DEADLINE = 90


def made(attempt):
    try:
        return attempt()
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"


def main(name):
    signal.alarm(DEADLINE)
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "job.json")) as file:
        job = json.load(file)
    with open(os.path.join(here, f"{name}.jsonl"), "w") as lines:
        for attempt, make in ROUNDS[name](job).items():
            held, detail = made(make)
            print(json.dumps({"attempt": attempt, "held": bool(held), "detail": str(detail)[:500]}), file=lines, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
