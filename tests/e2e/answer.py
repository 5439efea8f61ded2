#!/usr/bin/env python3
"""A program for engine Command that answers slowly, in another order than it was asked, with noise between, and with
texts of every kind. What it answers depends on sample and seed alone."""
import json
import select
import sys
import time


def answer(request):
    number = int(request["id"])
    kinds = [f"answer {number}", f"Answer {number}.", "", "é\u0000😀", f"{request['seed'] % 7}"]
    return kinds[number % len(kinds)]


def say(request):
    head = '{"request":%d,"prediction":"' % request["request"]
    number = int(request["id"])
    if number % 11 == 3:  # Latin-1
        sys.stdout.buffer.write(head.encode() + b"caf\xe9" + b'"}\n')
    elif number % 11 == 5:  # half a surrogate pair, and a NUL
        sys.stdout.buffer.write(head.encode() + b"\\ud83d \\u0000" + b'"}\n')
    elif number % 11 == 7:
        sys.stdout.buffer.write(json.dumps({"request": request["request"], "error": "too long"}).encode() + b"\n")
    else:
        sys.stdout.buffer.write(json.dumps({"request": request["request"], "prediction": answer(request)}).encode() + b"\n")
    sys.stdout.buffer.flush()


print('{"ready": true}', flush=True)
waiting = []
while True:
    while not waiting or select.select([sys.stdin], [], [], 0)[0]:
        line = sys.stdin.buffer.raw.readline()
        if not line:
            sys.exit(0)
        waiting.append(json.loads(line))
    time.sleep(0.01)
    print(f"{len(waiting)} are waiting", flush=True)
    say(waiting.pop())
