"""Registries that images come from: Debian's docker-registry with a login, and one of our own that
gives tokens and misbehaves on demand. All speak TLS with one certificate.

    certificate = Certificate(ws)
    registry = ws.start(DockerRegistry(ws, certificate))
    registry.push(image.path)
"""
import base64
import contextlib
import gzip
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import urllib.parse
import warnings

from raas import free_port, run, wait_for

USER, PASSWORD = "ann", "s3cret-of-ann"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def basic(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def auths(logins, **more):
    """A file of containers-auth.json(5): {place: (user, password)}."""
    return json.dumps({"auths": {place: {"auth": basic(*login)}
                                 for place, login in logins.items()}, **more})


class DockerRegistry:
    """Debian's docker-registry with TLS and a password."""

    def __init__(self, ws, certificate, name="registry", password=PASSWORD):
        self.ws, self.certificate, self.name, self.password = ws, certificate, name, password
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"

    def start(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import crypt  # deprecated, and nothing else here knows bcrypt
            hashed = crypt.crypt(self.password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        htpasswd = self.ws.write(self.name + ".htpasswd", f"{USER}:{hashed}\n")
        config = self.ws.write(self.name + ".yml", json.dumps({
            "version": 0.1, "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": self.ws.mkdir(self.name)}},
            "auth": {"htpasswd": {"realm": "test", "path": htpasswd}},
            "http": {"addr": self.host, "tls": {"certificate": self.certificate.cert,
                                                "key": self.certificate.key}}}))
        self.log = open(self.ws.path(self.name + ".log"), "wb")
        self.process = subprocess.Popen(["docker-registry", "serve", config],
                                        stdout=self.log, stderr=self.log)
        wait_for(self.answers, what="docker-registry")

    def answers(self):
        got = run("curl", "-s", "--cacert", self.certificate.cert, "-o", "/dev/null", "-w",
                  "%{http_code}", f"https://{self.host}/v2/")
        return got.out == "401"

    def push(self, source, name, *options):
        """skopeo's copy of `source` under that name."""
        run("skopeo", "--insecure-policy", "--tmpdir", self.ws.mkdir("skopeo"), "copy", "-q",
            *options, "--dest-creds", f"{USER}:{self.password}", "--dest-tls-verify=false", source,
            f"docker://{self.host}/{name}", check=True)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


class Server:
    """An HTTP server on loopback, whose answer() is a subclass's. asked: (path, Authorization)."""

    def __init__(self, certificate=None):
        self.certificate = certificate
        self.asked = []

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Authorization", "")))
                outer.answer(self)

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.cert, self.certificate.key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"{'https' if self.certificate else 'http'}://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def end(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def send(self, request, status, body=b"", **headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            request.wfile.write(body)

    def logins(self):
        """What was sent as a login, each once."""
        return sorted({auth for _, auth in self.asked if auth})


class TokenServer(Server):
    """Gives a token for USER and PASSWORD; `member` is where its answer has it. Each is good for
    so many requests, as if its time were over then."""

    def __init__(self, certificate=None, member="token", uses=1000):
        super().__init__(certificate)
        self.member, self.uses = member, uses
        self.left = {}

    def answer(self, request):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        if request.headers.get("Authorization") != "Basic " + basic(USER, PASSWORD):
            return self.send(request, 401, b'{"details":"' + PASSWORD.encode() + b'"}')
        token = f"token-{len(self.left) + 1}-{query['scope'][0]}"
        self.left[token] = self.uses
        return self.send(request, 200, json.dumps({
            self.member: token, "expires_in": 60, "issued_at": "2026-01-01T00:00:00Z"}).encode())


class TokenRegistry(Server):
    """Holds one image, acme/app:1, and gives it to who has a token of that server."""

    def __init__(self, certificate, tokens, realm=None):
        super().__init__(certificate)
        self.tokens = tokens
        self.realm = realm or tokens.url + "/token"
        self.refuses = False        # every token
        plain = bytes(20000)
        layer = gzip.compress(plain, mtime=0)
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
            "type": "layers", "diff_ids": [sha256(plain)]}}).encode()
        self.blobs = {sha256(data): data for data in (config, layer)}
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": DOCKER,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": sha256(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                        "digest": sha256(layer), "size": len(layer)}]}).encode()

    @property
    def source(self):
        return f"docker://{self.host}/acme/app:1"

    def has_token(self, request):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or self.refuses or self.tokens.left.get(token, 0) == 0:
            return False
        self.tokens.left[token] -= 1
        return True

    def answer(self, request):
        if not self.has_token(request):
            return self.send(request, 401, WWW_Authenticate=(
                f'Bearer realm="{self.realm}",service="registry",'
                'scope="repository:acme/app:pull"'))
        name = request.path.rsplit("/", 1)[1]
        if "/manifests/" in request.path and name in ("1", sha256(self.manifest)):
            return self.send(request, 200, self.manifest, Content_Type=DOCKER)
        if "/blobs/" in request.path and name in self.blobs:
            return self.send(request, 200, self.blobs[name])
        return self.send(request, 404)
