"""The server that the tests of the driver http ask: python3 peer.py PORT [CERTIFICATE KEY [CA]]. With a CA it asks for a
client's certificate. /counts tells how often /tagged was sent, how often nothing had changed, and how often /status/CODE
was asked for; /status/CODE?SECONDS has a Retry-After. /crowd tells how many of its kind were asked
for at once so far, of this host and of all."""

import base64
import gzip
import http.server
import json
import ssl
import sys
import threading
import time

COUNTS = {"sent": 0, "unchanged": 0, "refused": 0}
CROWD, CROWD_LOCK = {}, threading.Lock()
METRICS = """# HELP requests_total What came.
# TYPE requests_total counter
requests_total{method="get",path="/a b"} 17
requests_total{method="post",path="/"} 3
# TYPE temperature_celsius gauge
temperature_celsius{room="hall"} 21.5
# TYPE latency_seconds histogram
latency_seconds_bucket{le="+Inf"} 4
latency_seconds_sum 0.25
latency_seconds_count 4
broken{ 1
nothing NaN
"""


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body, status=200, **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    do_PUT = do_POST

    def do_GET(self):
        if self.path.startswith("/status/"):
            return self.on_status()
        path = self.path.split("?")[0].strip("/").replace("/", "_") or "index"
        getattr(self, "on_" + path, lambda: self.reply("gone", 404))()

    def on_status(self):
        COUNTS["refused"] += 1
        status, _, later = self.path.removeprefix("/status/").partition("?")
        self.reply("", int(status), **({"Retry_After": later} if later else {}))

    def on_json(self):
        self.reply('{"temp": 21.5, "on": true, "mode": "heating", "nested": {"p": [1, 2]}, "quoted": "7.25"}')

    def on_tagged(self):
        if self.headers.get("If-None-Match") == '"v1"':
            COUNTS["unchanged"] += 1
            return self.reply("", 304, ETag='"v1"')
        COUNTS["sent"] += 1
        self.reply('{"value": 5}', ETag='"v1"')

    def on_counts(self):
        self.reply(json.dumps(COUNTS))

    def on_crowd(self):
        with CROWD_LOCK:
            crowds = [CROWD.setdefault(of, {"now": 0, "most": 0}) for of in (self.headers.get("Host"), "all")]
            for crowd in crowds:
                crowd["now"] += 1
                crowd["most"] = max(crowd["most"], crowd["now"])
        time.sleep(0.05)
        with CROWD_LOCK:
            for crowd in crowds:
                crowd["now"] -= 1
        self.reply(json.dumps({"host": crowds[0]["most"], "all": crowds[1]["most"]}))

    def on_timed(self):
        self.reply('{"value": 5, "at": %d}' % (time.time() - 10))

    def on_fixed(self):
        self.reply('{"value": 5, "at": "2026-03-01T12:00:00Z"}')

    def on_echo(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.reply(json.dumps({"method": self.command, "body": body, "key": self.headers.get("X-Key", ""),
                               "proxy": self.headers.get("Proxy-Connection", "none")}))

    def on_basic(self):
        wanted = "Basic " + base64.b64encode(b"boiler:s3cret").decode()
        good = self.headers.get("Authorization") == wanted
        self.reply('{"in": 1}' if good else "who?", 200 if good else 401)

    def on_bearer(self):
        good = self.headers.get("Authorization") == "Bearer t0ken"
        self.reply('{"in": 1}' if good else "who?", 200 if good else 403)

    def on_redirect(self):
        self.reply("", 302, Location="/json")

    def on_to_file(self):
        self.reply("", 302, Location="file:///etc/passwd")

    def on_to_elsewhere(self):
        self.reply("", 302, Location="http://localhost:%s/who" % sys.argv[1])

    def on_to_metadata(self):
        self.reply("", 302, Location="http://0.0.0.0:%s/json" % sys.argv[1])

    def on_who(self):
        self.reply(json.dumps({"authorization": self.headers.get("Authorization", "none"),
                               "host": self.headers.get("Host").split(":")[0]}))

    def on_large(self):
        self.reply('{"a": "%s"}' % ("x" * 2_000_000))

    def on_zipped(self):
        self.reply(gzip.compress(b'{"value": 12}'), Content_Encoding="gzip")

    def on_bomb(self):
        self.reply(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")

    def on_text(self):
        self.reply("Power: 12.5 W\nState: running\nFlow: n/a\n")

    def on_metrics(self):
        self.reply(METRICS)

    def on_broken(self):
        self.reply('{"temp": ')

    def on_busy(self):
        self.reply("later", 503)

    def on_slow(self):
        time.sleep(30)

    def on_drip(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


# Before it listens: who finds the port open may write the files anew.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if len(sys.argv) > 2 else None
if context:
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if len(sys.argv) > 4:
        context.load_verify_locations(sys.argv[4])
        context.verify_mode = ssl.CERT_REQUIRED
server = Server(("127.0.0.1", int(sys.argv[1])), Peer)
if context:
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
