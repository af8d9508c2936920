"""git over http: git's own server program, git-http-backend, behind a web server.

Subclasses of GitHandler add what goes wrong; serve_git() is what goes well.
"""
import http.server
import os
import subprocess
import threading

from raas import git

BACKEND = os.path.join(git("--exec-path", cwd="/").strip(), "git-http-backend")


class GitHandler(http.server.BaseHTTPRequestHandler):
    """/git/PATH is the repository PATH below the server's root."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve_git()

    def do_POST(self):
        self.serve_git()

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def request_body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while True:
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def backend(self):
        """The headers as a dictionary, and the body, of git's answer."""
        path, _, query = self.path.partition("?")
        body = self.request_body()
        environment = {
            **os.environ, "GIT_PROJECT_ROOT": self.server.root, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": "/" + path.split("/", 2)[2], "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "REMOTE_USER": "test", "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run([BACKEND], input=body, env=environment, capture_output=True,
                              check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return dict(line.split(": ", 1) for line in head.decode().split("\r\n")), body

    def serve_git(self):
        headers, body = self.backend()
        status = int(headers.pop("Status", "200").split()[0])
        self.answer(status, body, **headers)

    def log_message(self, *_arguments):
        pass


class GitServer(http.server.ThreadingHTTPServer):
    """Answers on a port of 127.0.0.1 until end()."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root, handler=GitHandler):
        super().__init__(("127.0.0.1", 0), handler)
        self.root = root

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_arguments):
        pass  # a client that went away, or did not trust us
