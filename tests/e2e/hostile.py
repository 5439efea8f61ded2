#!/usr/bin/env python3
"""A program whose every word would write lines of its own on a terminal, were it shown as it is. For engine Command it
answers, fails on every sample or dies; as a scorer it fails on every sample."""
import json
import sys

FORGED = "\r\n\x1b[2K\x1b[1A\u009b2JFORGED accuracy 1.0000\u202e\x07"
what = sys.argv[1]

print(FORGED, file=sys.stderr, flush=True)
print(json.dumps({"ready": True, "library": FORGED}), flush=True)
for line in sys.stdin:
    request = json.loads(line)["request"]
    if what == "dies":
        sys.exit(FORGED + "\n2026-11-30T00:00:00.000Z error " + FORGED)
    answer = {"prediction": FORGED} if what == "answers" else {"error": FORGED}
    print(json.dumps({"request": request, **answer}), flush=True)
