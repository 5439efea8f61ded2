#!/usr/bin/env python3
"""Writes down what arrives: as a program of engine Command or as a scorer, its arguments and what it is asked, one file a
process, in the folder that it starts in; as a server of chat completions, the bodies of requests.

    echo.py program|scorer [ARGUMENT...]
    echo.py server PORT_FILE MODEL"""
import http.server
import json
import os
import sys

ROLE = os.fsencode(sys.argv[1]).decode()


def serve(port_file, model):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def say(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.say(json.dumps({"object": "list", "data": [{"id": model}]}).encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with open(port_file + ".seen", "ab") as seen:
                seen.write(json.dumps(json.loads(body)).encode() + b"\n")
            self.say(b'{"choices":[{"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}')

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(port_file + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


def answer():
    seen = open(f"seen-{ROLE}-{os.getpid()}", "wb")
    seen.write(json.dumps({"arguments": [os.fsencode(word).decode() for word in sys.argv[2:]]}).encode() + b"\n")
    if ROLE == "program":
        print('{"ready": true}', flush=True)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        seen.write(json.dumps(request).encode() + b"\n")
        seen.flush()
        if ROLE == "program":
            print(json.dumps({"request": request["request"], "prediction": "a"}), flush=True)
        else:
            print(json.dumps({"request": request["request"], "scores": {"right": 1}}), flush=True)


if ROLE == "server":
    serve(sys.argv[2], os.fsencode(sys.argv[3]).decode())
else:
    answer()
