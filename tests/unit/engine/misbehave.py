#!/usr/bin/env python3
"""A program for engine Command that does what each sample's input says. argv: how it starts, a folder of its own."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from marks import Marks

START, MARKS = sys.argv[1], Marks(sys.argv[2])


def write(text):
    sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())
    sys.stdout.buffer.flush()


def say(message):
    write(json.dumps(message) + "\n")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    while True:
        time.sleep(1000)


def answer(request, prediction, **more):
    say({"request": request["request"], "prediction": prediction, **more})


def raw(request, prediction):
    """`prediction` is what stands between the quotes, byte by byte."""
    write(b'{"request":%d,"prediction":"' % request["request"] + prediction + b'"}\n')


def do(request):
    what = request["input"].get("do", "answer")
    MARKS.note("asked", request["id"])
    if what == "answer":
        answer(request, "answer to " + request["id"])
    elif what == "die":
        die()
    elif what == "die once":
        if MARKS.first_time("died"):
            die()
        answer(request, "alive")
    elif what == "exit":
        sys.exit(7)
    elif what == "hang":
        hang()
    elif what == "half a line":
        if MARKS.first_time("half"):
            write('{"request":%d,"prediction":"hal' % request["request"])
            die()
        answer(request, "whole")
    elif what == "close":
        os.close(1)
        hang()
    elif what == "noise":
        write("Loading 100%\n\n[]\n{\n7\nnull\n{\"level\":\"info\"}\n\xff\xfe\n")
        write(b"\x00\xff\x80{\n")
        say({"request": "seven", "prediction": "not mine"})
        say({"request": 10**30, "prediction": "not mine"})
        say({"request": request["request"] + 1000, "prediction": "not mine"})
        answer(request, "heard")
        answer(request, "twice")
    elif what == "raw":
        raw(request, bytes.fromhex(request["input"]["bytes"]))
    elif what == "line":
        write(request["input"]["line"].replace("N", str(request["request"])) + "\n")
    elif what == "long":
        answer(request, "x" * request["input"]["bytes"])
    elif what == "endless":
        while True:
            write(b"x" * 1000000)
    elif what == "see":
        answer(request, json.dumps(request["input"]["see"] == "environment" and dict(os.environ)
                                   or request["input"]["see"] == "files" and sorted(os.listdir("/proc/self/fd"))
                                   or request))
    elif what == "last":  # answers this and those before it, the last one first
        for earlier in reversed(WAITING + [request]):
            answer(earlier, "answer to " + earlier["id"])
        WAITING.clear()
    elif what == "wait":
        WAITING.append(request)
    elif what == "children":
        own_session = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        same_group = subprocess.Popen(["sh", "-c", "sleep 1000 & wait"])
        MARKS.note("pids", f"{os.getpid()} {own_session.pid} {same_group.pid}")
        MARKS.note("parent", str(os.getppid()))
        answer(request, "started")


WAITING = []
MARKS.note("starts", str(os.getpid()))
if START == "exit":
    print("no module named model", file=sys.stderr)
    sys.exit(3)
if START == "hang":
    hang()
if START == "noise":
    write("warming up\n{}\n{\"ready\": false}\n")
say({"ready": True, "library": "misbehave 1.0"})
if START == "deaf":
    hang()
for line in sys.stdin:
    do(json.loads(line))
