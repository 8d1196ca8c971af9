"""The two servers that are asked the same: a kube-apiserver with an etcd of its own, and signpostd."""
import contextlib, json, pathlib, re, socket, ssl, subprocess, time, urllib.error, urllib.request

TOKEN = "differential"
RANGES = ("10.96.0.0/16", "fd00:10:96::/112")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """`url`, and how to ask it."""

    def __init__(self, name, url):
        self.name, self.url = name, url
        self.context = ssl._create_unverified_context() if url.startswith("https") else None

    def ask(self, method, path, body=None, content="application/json", accept="application/json"):
        """Status and document; text that is no JSON as it is."""
        request = urllib.request.Request(self.url + path, method=method, headers={"Accept": accept})
        if self.context:
            request.add_header("Authorization", f"Bearer {TOKEN}")
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
                code, text, warnings = answer.status, answer.read(), answer.headers.get_all("Warning") or []
        except urllib.error.HTTPError as error:
            code, text, warnings = error.code, error.read(), error.headers.get_all("Warning") or []
        try:
            if code == 200 and "watch=1" in path:
                return code, [json.loads(line) for line in text.splitlines()], warnings
            return code, json.loads(text), warnings
        except ValueError:
            return code, text.decode(errors="replace"), warnings


@contextlib.contextmanager
def kube_apiserver(program, work):
    """Ready, with what every cluster has from the start."""
    work = pathlib.Path(work)
    etcd, peer, port = free_port(), free_port(), free_port()
    (work / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    subprocess.run(["openssl", "genrsa", "-out", str(work / "key.pem"), "2048"], check=True, capture_output=True)
    with open(work / "servers.log", "wb") as log:
        store = subprocess.Popen(["etcd", "--data-dir", str(work / "etcd"), "--unsafe-no-fsync",
                                  "--listen-client-urls", f"http://127.0.0.1:{etcd}",
                                  "--advertise-client-urls", f"http://127.0.0.1:{etcd}",
                                  "--listen-peer-urls", f"http://127.0.0.1:{peer}"], stdout=log, stderr=log)
        server = subprocess.Popen([program, "--etcd-servers", f"http://127.0.0.1:{etcd}", "--secure-port", str(port),
                                   "--bind-address", "127.0.0.1", "--cert-dir", str(work / "certificates"),
                                   "--token-auth-file", str(work / "tokens.csv"), "--authorization-mode", "AlwaysAllow",
                                   "--disable-admission-plugins", "ServiceAccount",
                                   "--endpoint-reconciler-type", "none",
                                   "--service-cluster-ip-range", ",".join(RANGES),
                                   "--service-account-issuer", "https://differential", "--service-account-key-file",
                                   str(work / "key.pem"), "--service-account-signing-key-file", str(work / "key.pem")],
                                  stdout=log, stderr=log)
    try:
        made = Server("kube-apiserver", f"https://127.0.0.1:{port}")
        end = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                if made.ask("GET", "/readyz")[0] == 200 and made.ask("GET", "/api/v1/namespaces/default")[0] == 200:
                    break
            if server.poll() is not None or time.monotonic() > end:
                raise AssertionError("kube-apiserver did not become ready:\n" + (work / "servers.log").read_text()[-3000:])
            time.sleep(0.5)
        yield made
    finally:
        for process in (server, store):
            process.kill()
            process.wait()


VIP = re.compile(r"10\.96\.\d+\.\d+|fd00:10:96::[0-9a-f]+")
CHOICE = re.compile(VIP.pattern + r"|\b3[0-2]\d{3}\b")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
GIVEN = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "lastTransitionTime", "continue")


class Normal:
    """Answers of one server with what may differ taken out: times, ids, revisions, addresses that were chosen."""

    def __init__(self):
        self.named, self.chosen = set(), set()  # addresses and ports: by the questions first, or by the server

    def question(self, body):
        found = CHOICE.findall(body.decode(errors="replace") if isinstance(body, bytes) else json.dumps(body))
        self.named.update(set(found) - self.chosen)

    @staticmethod
    def refusal(status):
        """What is wrong is said by the causes, each once."""
        causes = {(cause.get("field"), cause.get("reason")): cause for cause in reversed(status["details"]["causes"])}
        status["details"]["causes"] = [causes[key] for key in sorted(causes, key=str)]
        status["message"] = status["message"].split(" is invalid: ")[0]

    def choice(self, text, otherwise):
        if text in self.named:
            return text
        self.chosen.add(text)
        return otherwise

    def text(self, text):
        text = UUID.sub("<uid>", text)
        text = VIP.sub(lambda found: self.choice(found[0], "<vip>"), text)
        text = re.sub(r"(?<=:)3[0-2]\d{3}(?=/)", lambda found: self.choice(found[0], "<port>"), text)
        text = re.sub(r'in scheme "[^"]*"', 'in scheme "<place>"', text)
        text = re.sub(r"^(\d+[smhdy])+$", "<age>", text)
        text = re.sub(r"\((\d+[smhdy])+ ago\)", "(<age> ago)", text)
        text = re.sub(r"in record \(\d+\)", "in record (<revision>)", text)
        text = re.sub(r"\b([gG]-)[a-z0-9]{5}\b", r"\1<random>", text)
        return re.sub(r" \(held by [^)]*\)", "", text)  # signpostd says it, kube-apiserver does not

    def of(self, value, key=""):
        """Of a document. Empty members are absent ones."""
        if isinstance(value, dict):
            made = {}
            for name, member in sorted(value.items()):
                if name == "managedFields" or member in (None, [], {}):
                    continue
                made[name] = "<given>" if name in GIVEN else self.of(member, name)
            if "columnDefinitions" in made:
                for column in made["columnDefinitions"]:
                    column.pop("description", None)  # everybody says it in his own words
            if made.get("metadata", {}).get("name") == "kubernetes":
                made.pop("spec", None)  # its port is the server's own
            if key == "items":  # kube-apiserver leaves out what the list says
                made.pop("kind", None)
                made.pop("apiVersion", None)
            if made.get("kind") == "Status" and "causes" in made.get("details", {}):
                self.refusal(made)
            return made
        if isinstance(value, list):
            return [self.of(one, key) for one in value]
        if isinstance(value, str):
            return self.text(value)
        if key in ("nodePort", "healthCheckNodePort"):
            return self.choice(str(value), "<port>")
        return value
