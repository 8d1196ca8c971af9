#!/usr/bin/env python3
"""Every client stub at hand resolves through signpostd as a pod would, and none has to ask twice.

In a network and mount namespace of its own, where port 53 is free and /etc/resolv.conf is a pod's. A stall is told
without a clock: a stub that waits in vain sends its question again, and the query log would show it.
"""
import contextlib, json, os, pathlib, re, shutil, socket, struct, subprocess, sys, tempfile, threading, time, unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "process"))
from daemon import PATIENCE, SIGNPOSTD, SOURCE  # noqa: E402

SKIPPED = 77  # as CMakeLists.txt has it
ZONE = "cluster.local"
SEARCH = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"]
COREFILE = """
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind 127.0.0.1 ::1
    log
    objects {objects}
}}
.:53 {{
    bind 127.0.0.1 ::1
    log
    forward . 127.0.0.1:{upstream}
}}
"""

# glibc begins anew, on a new socket, with twice the memory when an answer did not fit: up to seven times for 16 KB.
GLIBC_STARTS_OVER = 7

SMALL = [f"10.244.{i >> 8}.{i & 255}" for i in range(1, 4)]
HUNDRED = [f"10.245.{i >> 8}.{i & 255}" for i in range(100)]
THOUSAND = [f"10.246.{i >> 8}.{i & 255}" for i in range(1000)]


def objects():
    def service(name, ips, space="default", **spec):
        ports = [{"name": "http", "port": 80}]
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space},
                "spec": {"clusterIP": ips[0], "clusterIPs": ips, "ports": ports} | spec}

    def headless(name, addresses):
        slices = [addresses[i:i + 500] for i in range(0, len(addresses), 500)]
        return [service(name, ["None"])] + [
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": [],
             "metadata": {"name": f"{name}-{n}", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
             "endpoints": [{"addresses": [a]} for a in part]} for n, part in enumerate(slices)]

    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias", "namespace": "default"},
             "spec": {"type": "ExternalName", "externalName": "cart.shop.svc.cluster.local"}}
    return {"apiVersion": "v1", "kind": "List", "items": [
        service("web", ["10.96.0.10"]), service("dual", ["10.96.0.11", "fd00:10:96::b"]),
        service("six", ["fd00:10:96::c"]), service("cart", ["10.96.0.20"], "shop"), alias,
        *headless("few", SMALL), *headless("hundred", HUNDRED), *headless("thousand", THOUSAND)]}


class Case:
    def __init__(self, name, answer, family="any", search=True, tried=1, large=False):
        self.name, self.answer, self.family = name, sorted(answer), family
        self.search = search  # needs the search list
        self.tried = tried    # names that a stub asks with ndots:5 until it knows
        self.large = large    # more than a datagram holds: TCP, or what came

    def __str__(self):
        return f"{self.name}/{self.family}"


CASES = [
    Case("web", ["10.96.0.10"]),
    Case("web", ["10.96.0.10"], "4"),
    Case("web", [], "6", tried=4),
    Case("wEb", ["10.96.0.10"]),
    Case("cart.shop", ["10.96.0.20"], tried=2),
    Case("cart.shop.svc", ["10.96.0.20"], tried=3),
    Case("cart.shop.cluster.local", ["10.96.0.20"], tried=4),
    Case("web.default.svc.cluster.local", ["10.96.0.10"], tried=4),
    Case("web.default.svc.cluster.local.", ["10.96.0.10"], search=False),
    Case("web.default.cluster.local.", ["10.96.0.10"], search=False),
    Case("dual.default.svc.cluster.local.", ["10.96.0.11", "fd00:10:96::b"], search=False),
    Case("dual", ["10.96.0.11", "fd00:10:96::b"]),
    Case("six", ["fd00:10:96::c"]),
    Case("six.default.svc.cluster.local.", [], "4", search=False),
    Case("few", SMALL),
    Case("hundred", HUNDRED, large=True),
    Case("hundred.default.svc.cluster.local.", HUNDRED, "4", search=False, large=True),
    Case("thousand", THOUSAND, large=True),
    Case("alias", ["10.96.0.20"]),
    Case("nobody", [], tried=4),
    Case("nobody.default.svc.cluster.local.", [], search=False),
    Case("_http._tcp.web.default.svc.cluster.local.", ["0 100 80 web.default.svc.cluster.local"], "srv", search=False),
    Case("_http._tcp.dual.default.svc.cluster.local.", ["0 100 80 dual.default.svc.cluster.local"], "srv", search=False),
]


class Stub:
    """A program that prints addresses, one a line, or "not found"."""

    def __init__(self, name, command, options="", families=("any", "4", "6"), search=True, over_tcp=True, starts_over=1):
        self.name, self.command, self.options, self.families = name, command, options, families
        self.search, self.over_tcp = search, over_tcp
        self.starts_over = starts_over  # times that it asks for a large answer, whole

    def knows(self, case):
        return case.family in self.families and (self.search or not case.search)

    def run(self, case):
        done = subprocess.run([str(w) for w in self.command(case)], capture_output=True, text=True, timeout=PATIENCE)
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        return [] if lines == ["not found"] else lines, done


def digger(program):
    """dig, kdig or drill: prints the answer section, of which the addresses and SRV records count."""
    kinds = {"any": ["A", "AAAA"], "4": ["A"], "6": ["AAAA"], "srv": ["SRV"]}

    def command(case):
        asked = [word for kind in kinds[case.family] for word in (case.name, kind)]
        if program == "dig":
            return ["dig", "+search", "+short", *asked]
        if program == "kdig":
            return ["kdig", "+short", *asked]
        each = " ; ".join(f"drill {case.name} {kind} | grep -v '^;' || true" for kind in kinds[case.family])
        return ["sh", "-c", each]
    return command


def clean(stub, case, lines):
    """Addresses or SRV records of whatever a program prints, sorted, names without their last dot."""
    if stub.name == "drill":
        lines = [line.split("\t")[-1] for line in lines if "\tIN\t" in line and "\tCNAME\t" not in line]
        form = r"\d+ \d+ \d+ \S+" if case.family == "srv" else r"[0-9a-f.:]+"
        lines = [line for line in lines if re.fullmatch(form, line)]
    lines = [line.rstrip(".") for line in lines]
    if case.family != "srv":
        lines = [line for line in lines if not line.endswith(ZONE)]  # +short shows where a CNAME leads
        lines = [socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, a)) if ":" in a else a for a in lines]
    return sorted(set(lines))


class Upstream(threading.Thread):
    """Knows no name at all, of which it says so at once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            packet, peer = self.socket.recvfrom(4096)
            end = 12
            while packet[end]:
                end += packet[end] + 1
            soa = b"\0" + struct.pack("!HHIH", 6, 1, 60, 22) + b"\0\0" + struct.pack("!5I", 1, 1800, 900, 604800, 60)
            self.socket.sendto(packet[:2] + struct.pack("!5H", 0x8183, 1, 0, 1, 0) + packet[12:end + 5] + soa, peer)


class Stubs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="signpost-stubs."))
        (cls.work / "objects.json").write_text(json.dumps(objects()))
        upstream = Upstream()
        upstream.start()
        (cls.work / "Corefile").write_text(COREFILE.format(objects=cls.work / "objects.json", upstream=upstream.port))
        cls.log = open(cls.work / "log", "wb")
        cls.daemon = subprocess.Popen([SIGNPOSTD, "--config", cls.work / "Corefile", "--data", cls.work / "data"],
                                      stdout=cls.log, stderr=cls.log)
        end = time.monotonic() + PATIENCE
        while "ready" not in (cls.work / "log").read_text():
            assert cls.daemon.poll() is None and time.monotonic() < end, (cls.work / "log").read_text()
            time.sleep(0.05)
        cls.mark = 0

    @classmethod
    def tearDownClass(cls):
        cls.daemon.terminate()
        code = cls.daemon.wait(PATIENCE)
        cls.log.close()
        shutil.rmtree(cls.work, ignore_errors=True)
        assert code == 0, f"signpostd ended with {code}"

    def resolv_conf(self, options):
        pathlib.Path("/etc/resolv.conf").write_text(
            f"nameserver 127.0.0.1\nsearch {' '.join(SEARCH)}\noptions ndots:5 {options}\n")

    def queries(self, stub, case):
        """The queries logged since the last call: (name, type, client, transport)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # the log is complete when this question is in it
            s.connect(("127.0.0.1", 53))
            marker = f"mark-{time.monotonic_ns()}"
            s.send(b"\7\7\1\0\0\1\0\0\0\0\0\0" + bytes([len(marker)]) + marker.encode() + b"\7cluster\5local\0\0\1\0\1")
            s.recv(512)
        end = time.monotonic() + PATIENCE
        while marker not in (text := (self.work / "log").read_text()):
            self.assertLess(time.monotonic(), end, "the query log stands still")
            time.sleep(0.01)
        new, type(self).mark = text[self.mark:], len(text)
        self.assertNotIn("dropped", new, f"{stub.name} {case}: the query log lost lines")
        found = re.findall(r"query: (\S+) type=(\S+) .*?client=(\S+) proto=(\S+)", new)
        return [one for one in found if not one[0].startswith("mark-")]

    def check(self, stub):
        self.resolv_conf(stub.options)
        counts = []
        for case in CASES:
            if not stub.knows(case):
                continue
            with self.subTest(stub=stub.name, case=str(case)):
                lines, done = stub.run(case)
                queries = self.queries(stub, case)
                self.assertEqual(done.returncode, 0, f"{done.stdout}{done.stderr}")
                self.assertNotIn("arning", done.stdout + done.stderr)
                got = clean(stub, case, lines)
                if case.large and not stub.over_tcp:
                    self.assertGreater(len(got), 0, "what fits into a datagram is better than nothing")
                    self.assertLessEqual(set(got), set(case.answer))
                else:
                    self.assertEqual(got, case.answer)
                again = [one for one in queries if queries.count(one) > 1]
                self.assertEqual(again, [], "asked twice: an answer was not taken, or did not come")
                kinds = 2 if case.family == "any" else 1
                most = case.tried * kinds * (2 * stub.starts_over if case.large else 1)
                self.assertLessEqual(len(queries), most, queries)
                counts.append(f"{case} {len(queries)}")
        print(f"{stub.name}: {', '.join(counts)}", flush=True)

    def needs(self, *programs):
        for program in programs:
            if shutil.which(program) is None:
                print(f"SKIPPED: no {program} on this machine", flush=True)
                self.skipTest(f"no {program} on this machine")

    def compiled(self, compiler, source, *flags):
        self.needs(compiler)
        program = self.work / f"{compiler}-{source.replace('.', '-')}"
        subprocess.run([compiler, "-O1", "-o", program, HERE / source, *flags], check=True)
        return lambda case: [program, case.family, case.name]

    def test_glibc(self):
        command = self.compiled("cc", "getaddrinfo.c")
        for options in ("", "single-request", "single-request-reopen", "edns0 trust-ad", "use-vc"):
            self.check(Stub(f"glibc [{options}]", command, options, starts_over=GLIBC_STARTS_OVER))

    def test_musl(self):
        # 1.2.3 asks over UDP only and keeps 48 addresses.
        self.check(Stub("musl", self.compiled("musl-gcc", "getaddrinfo.c", "-static"), over_tcp=False))

    def test_cares(self):
        self.check(Stub("c-ares", self.compiled("cc", "cares.c", "-lcares")))

    def test_dig(self):
        self.needs("dig")
        self.check(Stub("dig", digger("dig"), families=("any", "4", "6", "srv")))

    def test_kdig(self):
        self.needs("kdig")
        self.check(Stub("kdig", digger("kdig"), families=("any", "4", "6", "srv"), search=False))

    def test_drill(self):
        self.needs("drill")
        # It shows what came over UDP.
        self.check(Stub("drill", digger("drill"), families=("any", "4", "6", "srv"), search=False, over_tcp=False))

    def test_dnspython(self):
        python = next((p for p in ("/usr/bin/python3", sys.executable)
                       if subprocess.run([p, "-c", "import dns.resolver"], capture_output=True).returncode == 0), None)
        if python is None:
            self.skipTest("no dnspython on this machine")
        self.check(Stub("dnspython", lambda case: [python, HERE / "stub.py", case.family, case.name],
                        families=("any", "4", "6", "srv")))

    def test_go(self):
        self.needs("go")
        program = self.work / "go-stub"
        subprocess.run(["go", "build", "-o", program, HERE / "stub.go"], check=True,
                       env={"HOME": str(self.work), "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"} | os.environ | {"CGO_ENABLED": "0"})
        self.check(Stub("go", lambda case: [program, case.family, case.name], families=("any", "4", "6", "srv")))

    def test_node(self):
        self.needs("node")
        for way, search in (("lookup", True), ("resolve", False)):
            families = ("any", "4", "6") if way == "lookup" else ("any", "4", "6", "srv")
            self.check(Stub(f"node {way}", lambda case, way=way: ["node", HERE / "stub.js", way, case.family, case.name],
                            families=families, search=search, starts_over=GLIBC_STARTS_OVER if search else 1))

    def test_java(self):
        self.needs("java", "javac")
        subprocess.run(["javac", "-d", self.work, HERE / "Stub.java"], check=True)
        self.check(Stub("java", lambda case: ["java", "-cp", self.work, "Stub", case.family, case.name],
                        families=("any", "srv"), starts_over=GLIBC_STARTS_OVER))


def in_namespaces():
    """Runs this file again where port 53 and /etc/resolv.conf are its own."""
    unshare = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        print("SKIPPED: this machine does not let us make network and mount namespaces (unshare)")
        sys.exit(SKIPPED)
    os.execvp(unshare[0], [*unshare, sys.executable, __file__, *sys.argv[1:]])


def settle():
    """Loopback up; /etc/resolv.conf and /etc/nsswitch.conf our own, for this process and its children alone."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="signpost-etc."))
    for name, text in (("resolv.conf", ""), ("nsswitch.conf", "hosts: files dns\n")):
        (folder / name).write_text(text)
        with contextlib.suppress(FileExistsError):
            open(f"/etc/{name}", "x").close()
        subprocess.run(["mount", "--bind", folder / name, os.path.realpath(f"/etc/{name}")], check=True)


if __name__ == "__main__":
    if os.environ.get("SIGNPOST_STUBS") != "inside":
        os.environ["SIGNPOST_STUBS"] = "inside"
        in_namespaces()
    settle()
    unittest.main()
