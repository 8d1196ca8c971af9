"""What every process test needs: a signpostd of its own on free loopback ports, and its clients.

    with Daemon() as d:
        d.apply(open("web.yaml").read())
        assert d.dig("web.default.svc.cluster.local") == ["10.96.1.2"]
"""
import contextlib, http.client, json, os, pathlib, random, shutil, signal, socket, subprocess, tempfile, time

SOURCE = pathlib.Path(os.environ.get("SIGNPOST_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("SIGNPOST_BIN", SOURCE / "build/release/bin"))
KUBECTL = os.environ.get("KUBECTL", "kubectl")
SIGNPOSTD, SIGNPOST = str(BIN / "signpostd"), str(BIN / "signpost")
PATIENCE = 60  # seconds a started program may take under sanitizers on a busy machine


def has_ipv6():
    with contextlib.closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as s:
        try:
            s.bind(("::1", 0))
            return True
        except OSError:
            return False


def free_port(hosts=("127.0.0.1",)):
    """A port that is free for UDP and TCP on all hosts. Another program may take it before we do: callers that start
    a daemon retry. It is none of those that the system gives to clients: dig sets SO_REUSEPORT, as signpostd does, and
    might be given the very port that it asks, and talk to itself."""
    below = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(min(10000, below // 2), below)
        with contextlib.ExitStack() as stack:
            try:
                for host in hosts:
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        s = stack.enter_context(socket.socket(family, kind))
                        s.bind((host, port))
                return port
            except OSError:
                continue


def bracket(host):
    return f"[{host}]" if ":" in host else host


def run(*command, input=None, timeout=PATIENCE, env=None):
    """A finished program: .returncode, .stdout, .stderr as text."""
    return subprocess.run(list(command), input=input, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})


class Daemon:
    """signpostd on free ports, with a data directory of its own; stopped and removed at the end."""

    def __init__(self, *flags, data=None, config=None, objects=(), hosts=None, api=True, vip=()):
        self.hosts = hosts or (["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"])
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="signpost-test."))
        self.data = pathlib.Path(data) if data else self.work / "data"
        self.dns_port, self.api_port = free_port(self.hosts), free_port()
        self.config, self.objects, self.api, self.vip, self.flags = config, objects, api, vip, list(flags)
        self.process = None

    def command(self):
        c = [SIGNPOSTD]
        if self.config is not None:
            path = self.work / "Corefile"
            path.write_text(self.config.format(dns=self.dns_port, api=self.api_port, data=self.data, work=self.work))
            c += ["--config", str(path)]
        else:
            for h in self.hosts:
                c += ["--dns", f"{bracket(h)}:{self.dns_port}"]
            c += ["--api", f"127.0.0.1:{self.api_port}", "--data", str(self.data)]
        for o in self.objects:
            c += ["--objects", str(o)]
        for v in self.vip:
            c += ["--vip", v]
        return c + self.flags

    def start(self, wait=True):
        self.log = open(self.work / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"signpostd ended with {self.process.returncode}:\n{self.log_text()}")
            try:
                if self.api:
                    if self.request("GET", "/readyz")[0] == 200:
                        return
                elif self.rcode(".", "SOA"):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("signpostd did not become ready:\n" + self.log_text())

    def log_text(self):
        return (self.work / "log").read_text(errors="replace")

    def stop(self, how=signal.SIGTERM):
        """Ends the daemon; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.process = None
        self.log.close()
        return code

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        return self.start()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, kind, *_):
        code = self.stop()
        if kind is not None:
            print(self.log_text()[-4000:])
        shutil.rmtree(self.work, ignore_errors=True)
        if kind is None and code not in (0, None):
            raise AssertionError(f"signpostd ended with {code}")

    # clients ----------------------------------------------------------------------------------------------------

    def dig_full(self, name, rtype="A", *options, host="127.0.0.1"):
        """dig's whole output."""
        return run("dig", f"@{host}", "-p", str(self.dns_port), name, rtype, "+tries=2", "+time=5", *options).stdout

    def dig(self, name, rtype="A", *options, host="127.0.0.1"):
        """Sorted rdata of the answer section."""
        out = run("dig", f"@{host}", "-p", str(self.dns_port), name, rtype, "+short", "+tries=2", "+time=5", *options)
        return sorted(line for line in out.stdout.splitlines() if line and not line.startswith(";"))

    def rcode(self, name, rtype="A", *options):
        for word in self.dig_full(name, rtype, *options).split(","):
            if "status:" in word:
                return word.split("status:")[1].strip()
        return None

    def dig_until(self, want, name, rtype="A", *options):
        """Asks until the answer is `want` (a list): the test of something that becomes visible."""
        end = time.monotonic() + PATIENCE
        while (got := self.dig(name, rtype, *options)) != want:
            if time.monotonic() > end:
                raise AssertionError(f"{name} {rtype}: {got}, wanted {want}")
            time.sleep(0.01)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.api_port}"

    def request(self, method, path, body=None, headers=None):
        """(status, decoded JSON or text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=PATIENCE)
        with contextlib.closing(connection):
            headers = dict(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.getheader("Content-Type", "").startswith("application/json"):
                return answer.status, json.loads(text)
            return answer.status, text.decode()

    def signpost(self, *arguments, input=None, env=None):
        return run(SIGNPOST, *arguments, input=input,
                   env={"SIGNPOST_SERVER": self.url, "SIGNPOST_DNS": f"127.0.0.1:{self.dns_port}", **(env or {})})

    def kubectl(self, *arguments, input=None):
        return run(KUBECTL, "-s", self.url, "--kubeconfig", "/dev/null", "--cache-dir", str(self.work / "kube-cache"),
                   *arguments, input=input)

    def apply(self, manifest):
        done = self.signpost("apply", "-f", "-", input=manifest)
        if done.returncode != 0:
            raise AssertionError(f"signpost apply: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout
