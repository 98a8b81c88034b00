"""An HTTP proxy on loopback in front of a registry, that writes down how many bytes of each blob
went by.

    upload_ledger.py PORT REGISTRY-PORT BYTES-PER-SECOND LEDGER [hold]

At most that many bytes a second on each connection. LEDGER gets a line of JSON for each request:
its method and path, its credentials, the upload's session and digest where it names them, how many
bytes its body should have, how many came, and the status of the answer (none where the client went
away). With "hold" no request that ends an upload without a body gets through, nor an answer.
"""

import http.client
import http.server
import json
import re
import socket
import sys
import threading
import time
import urllib.parse

PORT, BEHIND, RATE = (int(word) for word in sys.argv[1:4])
LEDGER = sys.argv[4]
HOLD = "hold" in sys.argv[5:]
LOCK = threading.Lock()
PIECE = 1 << 16


class Gone(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = 0  # what is read here is what is passed on

    def log_message(self, *arguments):
        pass

    def body(self, length):
        while self.entry["came"] < length:
            data = self.rfile.read(min(PIECE, length - self.entry["came"]))
            if not data:
                raise Gone
            time.sleep(len(data) / RATE)
            self.entry["came"] += len(data)
            yield data

    def write_down(self):
        with LOCK, open(LEDGER, "a") as ledger:
            print(json.dumps(self.entry), file=ledger)

    def pass_on(self):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        session = re.search(r"/blobs/uploads/([^/]+)$", url.path)
        self.entry = {"method": self.command, "path": url.path,
                      "authorization": self.headers.get("Authorization"),
                      "session": session and session[1],
                      "digest": urllib.parse.parse_qs(url.query).get("digest", [None])[0],
                      "length": length, "came": 0, "status": None}
        if HOLD and self.entry["digest"] and length == 0:
            self.write_down()
            self.rfile.read(1)  # until the client goes away
            self.close_connection = True
            return
        server = http.client.HTTPConnection("127.0.0.1", BEHIND)
        try:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders()
            for data in self.body(length):
                server.send(data)
            answer = server.getresponse()
            content = answer.read()
            self.entry["status"] = answer.status
        except (Gone, OSError):
            self.close_connection = True
        finally:
            server.close()
            self.write_down()
        if self.entry["status"] is None:
            return
        self.send_response_only(answer.status)
        length = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else len(content)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        # Small, so that what was sent and what is written down differ by little.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        super().server_bind()


Server(("127.0.0.1", PORT), Handler).serve_forever()
