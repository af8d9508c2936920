"""The sandbox for system tests: started, stopped, looked into and told to misbehave.

    with Tap() as tap, Workspace() as ws:
        sandbox = ws.start(Sandbox(ws))
        sandbox.fault(face="s3", method="PUT", status=503, s3_code="SlowDown", count=2)
        ...
        tap.equal(sandbox.count("s3"), 3, "two tries failed")

What it prints when ready becomes attributes: broker_url, broker_username, broker_password,
broker_token, app_port, app_domain, s3_endpoint, s3_region, s3_access_key, s3_secret_key,
sandbox_url.
"""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import shlex
import subprocess
import urllib.parse

from raas import BUILD, SLOWNESS, wait_for

SANDBOX = os.environ.get("SANDBOX") or os.path.join(BUILD, "tests", "sandbox", "sandbox")
CRANE_ENV = {
    "OPENSHIFT_PYTHON_WSGI_APPLICATION": "crane/wsgi.py",
    "OPENSHIFT_PYTHON_DOCUMENT_ROOT": "crane/",
    "HAPROXY_CARTRIDGE_HTTPCHK_URI": "/v1/_ping",
}


class Answer:
    """An HTTP answer: status, headers (any case), body, json()."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode(errors="replace")


def fetch(url, method="GET", body=None, headers=None, host=None, seconds=30):
    """One request; redirects are not followed. `host` is sent instead of the URL's."""
    parts = urllib.parse.urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += "?" + parts.query
    connection = http.client.HTTPConnection(parts.hostname, parts.port,
                                            timeout=seconds * SLOWNESS)
    try:
        headers = dict(headers or {})
        if host:
            headers["Host"] = host
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, target, body, headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


class Signer:
    """AWS Signature Version 4, written from its documentation and for tests alone: what is
    wrong in a request can be wrong on purpose."""

    def __init__(self, access, secret, region="us-east-1", token=None):
        self.access, self.secret, self.region, self.token = access, secret, region, token

    def scope(self, when):
        return f"{when[:8]}/{self.region}/s3/aws4_request"

    def signature(self, when, canonical):
        key = b"AWS4" + self.secret.encode()
        for part in self.scope(when).split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = "\n".join(["AWS4-HMAC-SHA256", when, self.scope(when),
                          hashlib.sha256(canonical.encode()).hexdigest()])
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    @staticmethod
    def now(seconds=0):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return at.strftime("%Y%m%dT%H%M%SZ")

    @staticmethod
    def query_of(url):
        pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True)
        return "&".join(f"{n}={v}" for n, v in sorted((quote(n), quote(v)) for n, v in pairs))

    def canonical(self, method, url, headers, names, payload):
        path = urllib.parse.unquote_to_bytes(urllib.parse.urlsplit(url).path or "/")
        path = quote(path, "/")
        lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
        return "\n".join([method, path, self.query_of(url), *lines, "", ";".join(names), payload])

    def headers(self, method, url, body=b"", headers=None, when=None, unsigned=(), payload=None):
        """The request's headers with those of the signature; `unsigned` ones are left out."""
        when = when or self.now()
        payload = payload or hashlib.sha256(body).hexdigest()
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        lower.setdefault("host", urllib.parse.urlsplit(url).netloc)
        lower.update({"x-amz-date": when, "x-amz-content-sha256": payload})
        if self.token:
            lower["x-amz-security-token"] = self.token
        names = sorted(set(lower) - set(unsigned))
        signature = self.signature(when, self.canonical(method, url, lower, names, payload))
        lower["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access}/{self.scope(when)},"
            f" SignedHeaders={';'.join(names)}, Signature={signature}")
        return lower

    def presign(self, method, url, expires=60, when=None):
        when = when or self.now()
        host = urllib.parse.urlsplit(url).netloc
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode({
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": when,
            "X-Amz-Credential": f"{self.access}/{self.scope(when)}",
            "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": "host"})
        canonical = self.canonical(method, url, {"host": host}, ["host"], "UNSIGNED-PAYLOAD")
        return f"{url}&X-Amz-Signature={self.signature(when, canonical)}"


class Sandbox:
    """The program on a private directory."""

    def __init__(self, ws, *options, name="sandbox"):
        self.folder = ws.mkdir(name)
        self.stderr_path = os.path.join(self.folder, "stderr")
        self.stdout_path = os.path.join(self.folder, "stdout")
        self.options = options
        self.process = None
        self.values = {}

    def start(self):
        with open(self.stderr_path, "ab") as err, open(self.stdout_path, "wb") as out:
            self.process = subprocess.Popen(
                [SANDBOX, "--dir", os.path.join(self.folder, "data"), *self.options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wait_for(self._ready, what="the sandbox")

    def _ready(self):
        with open(self.stdout_path, encoding="utf-8") as f:
            text = f.read()
        if self.process.poll() is not None:
            raise RuntimeError(f"the sandbox ended with {self.process.returncode}: {self.stderr()}")
        if "SANDBOX_PID=" not in text or not text.endswith("\n"):
            return False
        pairs = (word.partition("=") for word in shlex.split(text))
        self.values = {name.lower(): value for name, _, value in pairs}
        return True

    def __getattr__(self, name):
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(30 * SLOWNESS)

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stderr(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    # Behind the scenes.

    def control(self, method, path, body=None, check=True):
        """A call to the control face; its JSON (for an object, its bytes)."""
        answer = fetch(f"{self.sandbox_url}/_sandbox/{path}", method, body)
        if check and answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text()}")
        if method == "GET" and path.count("/") > 1 and path.startswith("objects/"):
            return answer.body
        return answer.json()

    def fault(self, **order):
        self.control("POST", "faults", order)

    def clear_faults(self):
        self.control("DELETE", "faults")

    def requests(self, face=None, since=0):
        """What was asked, oldest first: number, face, method, host, path, query, status…"""
        suffix = f"&face={face}" if face else ""
        return self.control("GET", f"requests?since={since}{suffix}")["requests"]

    def count(self, face):
        """Requests to a face since the last clear_requests()."""
        return self.control("GET", "requests?since=1000000000000")["counts"].get(face, 0)

    def clear_requests(self):
        self.control("DELETE", "requests")

    def reset(self):
        self.control("POST", "reset")

    def preset(self, **order):
        self.control("POST", "preset", order)

    def apps(self):
        return self.control("GET", "apps")

    def app(self, domain, name="registry"):
        """Its state, or None."""
        found = self.control("GET", f"apps/{domain}/{name}", check=False)
        return None if "error" in found else found

    def change_app(self, domain, name="registry", **changes):
        return self.control("PATCH", f"apps/{domain}/{name}", changes)

    def delete_app(self, domain, name="registry"):
        self.control("DELETE", f"apps/{domain}/{name}")

    def bucket(self, name):
        """Its state, or None."""
        return {b["name"]: b for b in self.control("GET", "buckets")}.get(name)

    def make_bucket(self, name, **members):
        return self.control("POST", "buckets", {"name": name, **members})

    def delete_bucket(self, name):
        self.control("DELETE", "buckets/" + name)

    def objects(self, bucket):
        """{key: {size, etag, public, headers}}"""
        return self.control("GET", "objects/" + bucket)

    def age_objects(self, bucket, seconds):
        """As if all objects had been written so long ago."""
        self.control("PATCH", "objects/" + bucket, {"age_s": seconds})

    def read_object(self, bucket, key):
        return self.control("GET", f"objects/{bucket}/{urllib.parse.quote(key)}")

    def write_object(self, bucket, key, content):
        self.control("PUT", f"objects/{bucket}/{urllib.parse.quote(key)}", content)

    def delete_object(self, bucket, key):
        self.control("DELETE", f"objects/{bucket}/{urllib.parse.quote(key)}")

    # As a client.

    def broker(self, method, path, body=None, headers=None, token=None, version="1.7"):
        """A call to the broker, by its token unless headers say who asks."""
        headers = dict(headers or {})
        headers.setdefault("Accept", f"application/json; version={version}")
        if "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {token or self.broker_token}"
        return fetch(f"{self.broker_url}/broker/rest/{path}", method, body, headers)

    def crane(self, host, path, method="GET", headers=None):
        """A request to an app, by its host name or alias."""
        return fetch(f"http://127.0.0.1:{self.app_port}{path}", method, None, headers,
                     host=f"{host}:{self.app_port}")

    def signer(self, region=None, token=None):
        return Signer(self.s3_access_key, self.s3_secret_key, region or self.s3_region, token)

    def s3(self, method, path, body=b"", headers=None, signer=None, **wrong):
        """A signed request to S3; the path is sent as it is. `wrong` goes to the signer."""
        body = body if isinstance(body, bytes) else body.encode()
        url = self.s3_endpoint + path
        signed = (signer or self.signer()).headers(method, url, body, headers, **wrong)
        return fetch(url, method, body, signed, host=signed.pop("host"))


def s3_code(answer):
    """The status, and S3's word for the error: "404 NoSuchKey"."""
    found = re.search(r"<Code>(.*?)</Code>", answer.text())
    return f"{answer.status} {found.group(1)}" if found else str(answer.status)
