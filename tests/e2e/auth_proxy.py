"""A mirror on loopback that wants a user and a password, in front of the mirrors this machine uses.

Usage: auth_proxy.py USER PASSWORD PREFIX=URL...

Serves /PREFIX/... from URL/... and, under /files/, whatever the index pages among that link to,
which it links to itself. Prints its port on one line and ends with its standard input.
"""

import base64
import http.server
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

user, password, *prefixes = sys.argv[1:]
expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
upstream = dict(prefix.split("=", 1) for prefix in prefixes)
files = {}  # by path below /files/


def with_own_links(page, url):
    """The JSON index page (PEP 691) that is at `url`."""
    page = json.loads(page)
    for file in page["files"]:
        target = urllib.parse.urljoin(url, file["url"])
        path = f"{len(files)}/{file['filename']}"
        files[path] = target
        file["url"] = f"/files/{path}"
    return json.dumps(page).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.headers.get("Authorization") != expected:
            self.answer(401, [("WWW-Authenticate", 'Basic realm="mirror"')])
            return
        prefix, _, rest = self.path.lstrip("/").partition("/")
        if prefix == "files" and rest in files:
            request = urllib.request.Request(files[rest])
        elif prefix in upstream:
            request = urllib.request.Request(f"{upstream[prefix]}/{rest}")
        else:
            self.answer(404)
            return
        for name in ("Accept", "Range", "If-None-Match", "If-Modified-Since"):
            if name in self.headers:
                request.add_header(name, self.headers[name])
        try:
            with urllib.request.urlopen(request) as response:
                headers = [(name, response.headers[name])
                           for name in ("Content-Type", "Content-Range", "ETag", "Last-Modified")
                           if response.headers[name]]
                body = response.read()
                if "simple.v1+json" in (response.headers["Content-Type"] or ""):
                    body = with_own_links(body, response.url)
                self.answer(response.status, headers, body)
        except urllib.error.HTTPError as error:
            self.answer(error.code)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
