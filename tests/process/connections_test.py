#!/usr/bin/env python3
"""Crowds of connections that do nothing: what one side holds, the others do not miss, and it is given back."""
import contextlib, json, os, shutil, signal, socket, struct, threading, unittest

from daemon import PATIENCE, SIGNPOSTD, Daemon

COREFILE = """cluster.local:{{dns}} {{{{
    bind 127.0.0.1
    registry {{{{
        data {{data}}
        listen 127.0.0.1:{{api}}
    }}}}
}}}}
.:{{dns}} {{{{
    bind 127.0.0.1
    forward . 127.0.0.1:{upstream}
}}}}
"""


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


class Upstream:
    """Answers every question with one address."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            with contextlib.suppress(OSError):
                asked, who = self.socket.recvfrom(4096)
                end = asked.index(b"\0", 12) + 5
                self.socket.sendto(asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + asked[12:end] +
                                   b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4", who)


def service(name, note=""):
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "annotations": {"note": note}},
                       "spec": {"ports": [{"port": 80}]}})


def resident_mib(d):
    with open(f"/proc/{d.process.pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) >> 10


class Crowds(unittest.TestCase):
    def works(self, d, n):
        """Forwarding, DNS over UDP and TCP, a write and a list, each by a new client."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(PATIENCE)
            for name in (f"n{n}.example.org", "kubernetes.default.svc.cluster.local"):
                s.sendto(query(name), ("127.0.0.1", d.dns_port))
                reply = s.recv(4096)
                self.assertEqual((reply[3] & 15, reply[7]), (0, 1), name)
        with socket.create_connection(("127.0.0.1", d.dns_port), timeout=PATIENCE) as s:
            asked = query("kubernetes.default.svc.cluster.local")
            s.sendall(struct.pack(">H", len(asked)) + asked)
            self.assertGreater(len(s.recv(4096)), 12)
        path = "/api/v1/namespaces/default/services"
        self.assertEqual(d.request("POST", path, service(f"s{n}"))[0], 201)
        self.assertEqual(d.request("GET", path)[0], 200)

    def test_few_descriptors(self):
        config = COREFILE.format(upstream=Upstream().port)
        for limit in (64, 200):
            class Few(Daemon):
                def command(self):
                    return ["prlimit", f"--nofile={limit}:{limit}", *super().command()]

            with Few(config=config) as d, contextlib.ExitStack() as held:
                self.works(d, 0)
                for n, port in enumerate((d.api_port, d.dns_port, d.api_port), 1):
                    for i in range(300):
                        s = held.enter_context(socket.socket())
                        s.bind((f"127.0.{n}.{1 + i % 250}", 0))
                        s.connect(("127.0.0.1", port))
                    self.works(d, n)
                self.assertIn("the limit of open files", d.log_text())

    def test_unread_answers_are_bounded_and_stopping_does_not_wait_for_them(self):
        with Daemon() as d, contextlib.ExitStack() as held:
            path = "/api/v1/namespaces/default/services"
            for i in range(60):
                self.assertEqual(d.request("POST", path, service(f"s{i}", "x" * 100_000))[0], 201)
            before = resident_mib(d)
            forms = ["", "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n", "Accept: application/yaml\r\n",
                     "Accept: application/vnd.kubernetes.protobuf\r\n", "Accept-Encoding: gzip\r\n"]
            for i in range(200):
                s = held.enter_context(socket.socket())
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.connect(("127.0.0.1", d.api_port))
                what, form = [("", forms[i % 5]), ("?limit=50", forms[i % 5]), ("?watch=1", forms[i % 2])][i % 3]
                s.sendall(f"GET {path}{what} HTTP/1.1\r\nHost: localhost\r\n{form}\r\n".encode())
            # 200 clients, 6 MB each. Who reads is served meanwhile.
            for _ in range(5):
                self.assertEqual(len(d.request("GET", path)[1]["items"]), 61)
                self.assertLess(resident_mib(d) - before, 200)
            self.assertEqual(d.stop(signal.SIGTERM), 0)


class Scarcity(unittest.TestCase):
    def ends_with_a_sentence_or_serves(self, *prefix, says):
        class Scarce(Daemon):
            def command(self):
                return [*prefix, *super().command()]

        d = Scarce()
        os.chmod(d.work, 0o777)
        try:
            d.start()
        except AssertionError:
            lines = d.log_text().strip().splitlines()
            self.assertIn("signpostd: ", lines[-1])
            self.assertTrue(any(word in lines[-1] for word in says), lines[-1])
        code = d.stop()
        self.assertIn(code, (0, 1), d.log_text())
        shutil.rmtree(d.work, ignore_errors=True)
        return code

    @unittest.skipUnless(os.getuid() == 0, "the limit of threads does not bind us: needs root, to be somebody else")
    def test_few_threads(self):
        codes = [self.ends_with_a_sentence_or_serves("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                                                     "prlimit", f"--nproc={n}:{n}", says=["no thread"])
                 for n in (1, 3, 5, 7, 9, 11, 64)]
        self.assertEqual((codes[0], codes[-1]), (1, 0))

    def test_little_memory(self):
        if any(preset in SIGNPOSTD for preset in ("/asan/", "/tsan/")):
            self.skipTest("sanitizers take addresses as they want")
        for mib in (64, 128, 256, 384):
            self.ends_with_a_sentence_or_serves("prlimit", f"--as={mib << 20}:{mib << 20}", says=["no thread", "memory"])


if __name__ == "__main__":
    unittest.main()
