#!/usr/bin/env python3
"""A scorer that writes noise, answers in another order than it was asked, and dies once. argv: a file that says that it
has."""
import json
import os
import select
import signal
import sys


def score(request):
    prediction = request["prediction"]
    text = prediction if isinstance(prediction, str) else ""
    right = any(prediction == target for target in request["target"])
    print(json.dumps({"request": request["request"], "scores": {"right": int(right), "length": len(text) / 7}}), flush=True)


print("loading the judge …", flush=True)
waiting = []
scored = 0
while True:
    while not waiting or select.select([sys.stdin], [], [], 0)[0]:
        line = sys.stdin.buffer.raw.readline()
        if not line:
            sys.exit(0)
        waiting.append(json.loads(line))
    print(f"{len(waiting)} are waiting", flush=True)
    score(waiting.pop())
    scored += 1
    if scored == 100 and not os.path.exists(sys.argv[1]):
        with open(sys.argv[1], "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
