"""A token server for registries on loopback (distribution's "Token Authentication Specification"
and "OAuth2 Token Authentication").

    token_server.py PORT KEY CERTIFICATE LOG [--lives SECONDS] [--says SECONDS] [--tls KEY CERTIFICATE]
                    [--spoil FILE]

Signs with KEY, whose CERTIFICATE the registry has as its rootcertbundle. The user ann with the
password in $TOKEN_PASSWORD, or whoever has the refresh token in $TOKEN_REFRESH, may do everything;
nobody in particular may pull from public/. A token is good for --lives seconds, and the answer's
expires_in is --says. LOG gets a line of JSON for each request: how it proved who it is, its scopes
and the token it got.

"KIND NUMBER" in the file of --spoil has the request of that number, from 0, go wrong, and the file
is gone then: a status, "reset" (no answer), "cut" (within the answer), "truncated" (as if that were
all), "page" (of HTML), "slow" (an answer bit by bit), "silence" (nothing more, and no end).
"""

import argparse
import base64
import http.server
import json
import os
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse

# By which registries take expired tokens all the same, for clocks that differ.
LEEWAY = 60

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("key")
parser.add_argument("certificate")
parser.add_argument("log")
parser.add_argument("--lives", type=float, default=300)
parser.add_argument("--says", type=int, default=300)
parser.add_argument("--tls", nargs=2)
parser.add_argument("--spoil")
options = parser.parse_args()

BASIC = "Basic " + base64.b64encode(f"ann:{os.environ['TOKEN_PASSWORD']}".encode()).decode()
REFRESH = os.environ["TOKEN_REFRESH"]
LOCK = threading.Lock()


def text_of(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(service, access):
    pem = open(options.certificate).read()
    chain = ["".join(line for line in pem.splitlines() if not line.startswith("-"))]
    now = time.time()
    claims = {"iss": "tests", "sub": "ann", "aud": service, "nbf": int(now) - 600, "iat": int(now) - 600,
              "exp": int(now + options.lives) - LEEWAY, "jti": secrets.token_hex(8), "access": access}
    signed = ".".join(text_of(json.dumps(part).encode())
                      for part in ({"typ": "JWT", "alg": "RS256", "x5c": chain}, claims))
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", options.key],
                               input=signed.encode(), stdout=subprocess.PIPE, check=True).stdout
    return signed + "." + text_of(signature)


def access_of(scopes, trusted):
    for scope in scopes:
        kind, name, actions = scope.split(":", 2)
        allowed = actions.split(",") if trusted else ["pull"] if name.startswith("public/") else []
        if allowed:
            yield {"type": kind, "name": name, "actions": allowed}


def turn():
    """What goes wrong with this request; None for nothing."""
    with LOCK:
        try:
            kind, number = open(options.spoil).read().split()
        except (OSError, TypeError):
            return None
        if int(number) == 0:
            os.remove(options.spoil)
            return kind
        with open(options.spoil, "w") as file:
            file.write(f"{kind} {int(number) - 1}")
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, document):
        body = json.dumps(document).encode()
        kind = turn()
        if kind == "silence":
            self.rfile.read(1)  # until the client goes away
        if kind in ("reset", "silence"):
            self.close_connection = True
            return
        if kind and kind.isdigit():
            status, body = int(kind), b"{}"
        if kind == "page":
            body = b"<html><body>Welcome</body></html>"
        length = len(body)
        if kind in ("cut", "truncated"):
            body = body[:length // 2]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length if kind == "cut" else len(body)))
        self.end_headers()
        self.close_connection = self.close_connection or kind == "cut"
        pieces = range(0, len(body), len(body) // 20 + 1) if kind == "slow" else [0]
        for begin in pieces:
            self.wfile.write(body[begin:begin + len(body) // 20 + 1] if kind == "slow" else body)
            time.sleep(0.02 if kind == "slow" else 0)

    def give(self, proof, fields):
        scopes = [one for field in fields.get("scope", []) for one in field.split()]
        entry = {"proof": proof, "scopes": scopes, "service": fields.get("service", [""])[0]}
        if proof != "wrong":
            entry["token"] = token(entry["service"], list(access_of(scopes, proof != "none")))
        with LOCK, open(options.log, "a") as log:
            print(json.dumps(entry), file=log)
        if proof == "wrong":
            self.answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
            return
        # One name in each kind of answer, since clients must know both.
        name = "access_token" if proof == "refresh token" else "token"
        self.answer(200, {name: entry["token"], "expires_in": options.says})

    def do_GET(self):
        given = self.headers.get("Authorization")
        proof = "none" if given is None else "password" if given == BASIC else "wrong"
        self.give(proof, urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = urllib.parse.parse_qs(body)
        good = fields.get("grant_type") == ["refresh_token"] and fields.get("refresh_token") == [REFRESH]
        self.give("refresh token" if good else "wrong", fields)


server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls[1], options.tls[0])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
