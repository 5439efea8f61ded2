#!/usr/bin/env python3
"""A scorer that does what each prediction says. argv: a folder of its own."""
import json
import os
import signal
import sys

FOLDER = sys.argv[1]


def note(name, text):
    with open(os.path.join(FOLDER, name), "a", encoding="utf-8") as file:
        file.write(text + "\n")


def first_time(name):
    try:
        os.close(os.open(os.path.join(FOLDER, name), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def say(message):
    print(message if isinstance(message, str) else json.dumps(message), flush=True)


def score(request, **scores):
    say({"request": request["request"], "scores": scores})


note("starts", str(os.getpid()))
say("a line that is none")
waiting = []
for line in sys.stdin:
    request = json.loads(line)
    note("asked", line.rstrip("\n"))
    what = request["prediction"]
    if not isinstance(what, str):
        score(request, quality=0.5, tone=-1)
    elif what == "die" or (what == "die once" and first_time("died")):
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
    elif what == "error once" and first_time("error"):
        say({"request": request["request"], "error": "busy"})
    elif what.startswith("{"):
        say(what.replace("N", str(request["request"])))
    else:
        score(request, quality=len(what) / 3, tone=-2.5)
        for other in waiting:
            score(other, quality=0, tone=0.1234567)
        waiting = []
