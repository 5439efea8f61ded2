#!/usr/bin/env python3
"""A scorer that does what each prediction says. argv: a folder of its own."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from marks import Marks

MARKS = Marks(sys.argv[1])


def say(message):
    print(message if isinstance(message, str) else json.dumps(message), flush=True)


def score(request, **scores):
    say({"request": request["request"], "scores": scores})


MARKS.note("starts", str(os.getpid()))
say("a line that is none")
waiting = []
for line in sys.stdin:
    request = json.loads(line)
    MARKS.note("asked", line.rstrip("\n"))
    what = request["prediction"]
    if not isinstance(what, str):
        score(request, quality=0.5, tone=-1)
    elif what == "die" or (what == "die once" and MARKS.first_time("died")):
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "exit":
        sys.exit(7)
    elif what == "hang":
        signal.pause()
    elif what == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    elif what == "twice":
        score(request, quality=1, tone=1)
        score(request, quality=2, tone=2)
    elif what == "later":
        waiting.append(request)
    elif what == "error once" and MARKS.first_time("error"):
        say({"request": request["request"], "error": "busy"})
    elif what.startswith("{"):
        say(what.replace("N", str(request["request"])))
    else:
        score(request, quality=len(what) / 3, tone=-2.5)
        for other in waiting:
            score(other, quality=0, tone=0.1234567)
        waiting = []
