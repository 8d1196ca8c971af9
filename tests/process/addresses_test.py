#!/usr/bin/env python3
"""Addresses that come and go are listened on as long as they are there. In a network namespace of the test's own."""
import ctypes, errno, os, pathlib, shutil, socket, struct, subprocess, sys, tempfile, threading, time, unittest

from daemon import PATIENCE, SIGNPOSTD, SOURCE, run

SKIPPED = 77
COREFILE = """
cluster.local:53 {{
    {bind}
    nsid here
    objects {objects}
}}
"""


def without_netlink():
    """From here on, socket(AF_NETLINK, ...) fails: a seccomp filter, as service managers set them."""
    load, equal, give = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    socket_call = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
    program = [(load, 0, 0, 0), (equal, 0, 3, socket_call), (load, 0, 0, 16), (equal, 0, 1, 16),
               (give, 0, 0, 0x00050000 | errno.EAFNOSUPPORT), (give, 0, 0, 0x7FFF0000)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    libc = ctypes.CDLL(None, use_errno=True)
    head = ctypes.create_string_buffer(struct.pack("H6xP", len(program), ctypes.addressof(filters)))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, head, 0, 0) != 0:  # no new privileges, a filter
        raise OSError(ctypes.get_errno(), "seccomp")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Addresses(unittest.TestCase):
    def setUp(self):
        ip("link", "add", "eth7", "type", "veth", "peer", "name", "eth8")
        ip("link", "set", "eth8", "up")
        ip("link", "set", "eth7", "up")
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="signpost-test."))
        self.daemon = None

    def tearDown(self):
        if self.daemon:
            self.daemon.terminate()
            self.assertEqual(self.daemon.wait(PATIENCE), 0, self.log())
        ip("link", "del", "eth7")
        shutil.rmtree(self.work)

    def start(self, bind="", *flags, before=None, more=""):
        corefile = COREFILE.format(bind=bind, objects=SOURCE / "deploy/examples/database.yaml")
        (self.work / "Corefile").write_text(corefile + more)
        with open(self.work / "log", "w") as log:
            self.daemon = subprocess.Popen([SIGNPOSTD, "--config", self.work / "Corefile", "--data", self.work / "data", *flags],
                                           stdout=log, stderr=log, preexec_fn=before)
        self.wait_for("ready")

    def log(self):
        return (self.work / "log").read_text()

    def wait_for(self, *words):
        end = time.monotonic() + PATIENCE
        while not any(all(w in line for w in words) for line in self.log().splitlines()):
            self.assertLess(time.monotonic(), end, f"{words} not in\n{self.log()}")
            self.assertIsNone(self.daemon.poll(), self.log())
            time.sleep(0.02)

    def ask(self, address, *flags):
        return run("dig", f"@{address}", "+time=1", "+tries=1", "+short", "cluster.local", "SOA", *flags).stdout

    def check_served(self, address):
        for way in ("+notcp", "+tcp"):
            self.assertIn("hostmaster", self.ask(address, way), f"{address} {way}\n{self.log()}")

    def check_not_served(self, address):
        for way in ("+notcp", "+tcp"):
            self.assertNotIn("hostmaster", self.ask(address, way), f"{address} {way}")

    def test_every_address_of_the_host(self):
        self.start()
        self.check_served("127.0.0.1")
        self.check_served("::1")
        for address, length in (("192.0.2.7", "24"), ("2001:db8::7", "64")):
            ip("address", "add", f"{address}/{length}", "dev", "eth7")
            self.wait_for("listening", address)
            self.check_served(address)
        ip("address", "del", "192.0.2.7/24", "dev", "eth7")
        self.wait_for("no longer listening", "192.0.2.7")
        self.check_served("2001:db8::7")
        ip("address", "add", "192.0.2.7/24", "dev", "lo")
        end = time.monotonic() + PATIENCE
        while "hostmaster" not in self.ask("192.0.2.7"):
            self.assertLess(time.monotonic(), end, self.log())
        self.check_served("192.0.2.7")
        ip("address", "del", "192.0.2.7/24", "dev", "lo")
        self.check_served("127.0.0.1")

    def test_an_interface_by_name(self):
        ip("address", "add", "192.0.2.1/24", "dev", "eth7")
        self.start("bind eth7")
        self.check_served("192.0.2.1")
        self.check_not_served("127.0.0.1")
        ip("address", "add", "192.0.2.2/24", "dev", "eth7")
        self.wait_for("listening", "192.0.2.2")
        self.check_served("192.0.2.2")
        self.check_not_served("127.0.0.1")

    def test_addresses_written_out_stay(self):
        self.start("bind 127.0.0.1")
        ip("address", "add", "192.0.2.3/24", "dev", "eth7")
        time.sleep(0.5)
        self.check_not_served("192.0.2.3")
        self.check_served("127.0.0.1")

    def test_a_storm_of_changes_ends_in_what_is_there(self):
        self.start()
        for i in range(1, 101):
            ip("address", "add", f"192.0.2.{i}/32", "dev", "eth7")
        for i in range(2, 100):
            ip("address", "del", f"192.0.2.{i}/32", "dev", "eth7")
        self.wait_for("listening", "192.0.2.100:53")
        for address in ("192.0.2.1", "192.0.2.100", "127.0.0.1"):
            self.check_served(address)
        end = time.monotonic() + PATIENCE
        while "hostmaster" in self.ask("192.0.2.50"):
            self.assertLess(time.monotonic(), end, self.log())

    def test_a_port_that_another_program_has_is_said_once_and_tried_again(self):
        self.start()
        ip("address", "add", "192.0.2.9/32", "dev", "lo")
        self.wait_for("listening", "192.0.2.9")
        ip("address", "del", "192.0.2.9/32", "dev", "lo")
        self.wait_for("no longer listening", "192.0.2.9")
        blocker = subprocess.Popen([sys.executable, "-c", "import socket,time\ns=socket.socket()\n"
                                    "s.setsockopt(socket.SOL_IP, 15, 1)\ns.bind(('192.0.2.9', 53))\ns.listen()\n"
                                    "print('up', flush=True)\ntime.sleep(60)"], stdout=subprocess.PIPE)
        blocker.stdout.readline()
        ip("address", "add", "192.0.2.9/32", "dev", "lo")
        self.wait_for("not listened on yet", "192.0.2.9:53 is in use")
        blocker.kill()
        blocker.wait()
        blocker.stdout.close()
        end = time.monotonic() + PATIENCE
        while "hostmaster" not in self.ask("192.0.2.9"):
            self.assertLess(time.monotonic(), end, self.log())
        self.assertEqual(self.log().count("not listened on yet"), 1)

    def test_where_the_system_does_not_tell_its_addresses_a_wildcard_listens(self):
        ip("address", "add", "192.0.2.4/24", "dev", "eth7")
        self.start(before=without_netlink)
        self.wait_for("not followed", "netlink")
        for address in ("127.0.0.1", "127.0.0.9", "::1", "192.0.2.4"):
            self.check_served(address)
        ip("address", "add", "192.0.2.5/24", "dev", "eth7")
        self.check_served("192.0.2.5")

    def test_link_local_addresses_with_their_interface(self):
        for last in (7, 8):
            ip("address", "add", f"fe80::{last}/64", "dev", "eth7", "nodad")
        upstream = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        upstream.settimeout(0.1)  # so that a closed one is let go
        upstream.bind(("fe80::8", 53, 0, socket.if_nametoindex("eth7")))

        def serve():
            while True:
                try:
                    packet, peer = upstream.recvfrom(4096)
                except TimeoutError:
                    continue
                except OSError:
                    return
                end = packet.index(0, 12) + 5
                upstream.sendto(packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + packet[12:end] +
                                b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", peer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(upstream.close)
        (self.work / "resolv.conf").write_text("nameserver fe80::7%eth7\nnameserver fe80::8%eth7\n")
        for to in ("fe80::8%eth7", "[fe80::8%eth7]:53", str(self.work / "resolv.conf")):
            self.start("bind fe80::7%eth7 127.0.0.1", more=f".:53 {{ \n bind 127.0.0.1 \n forward . {to} \n }}")
            self.wait_for("listening", "[fe80::7%eth7]:53")
            self.check_served("fe80::7%eth7")
            answer = run("dig", "@127.0.0.1", "+short", "www.example.com", "A").stdout
            self.assertEqual(answer, "192.0.2.1\n", self.log())
            self.daemon.terminate()
            self.assertEqual(self.daemon.wait(PATIENCE), 0, self.log())
        self.assertIn("resolv.conf:1: [fe80::7%eth7]:53 is this server itself", self.log())
        self.daemon = None

    def test_the_name_of_the_server(self):
        self.start()
        text = run("dig", "@127.0.0.1", "+nsid", "cluster.local", "SOA").stdout
        self.assertIn('NSID: 68 65 72 65 ("here")', text)
        self.assertIn("COOKIE:", text)
        self.assertIn("(good)", text)


if __name__ == "__main__":
    if os.environ.get("SIGNPOST_ADDRESSES") != "inside":
        os.environ["SIGNPOST_ADDRESSES"] = "inside"
        unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            print("SKIPPED: this machine does not let us make network namespaces (unshare)")
            sys.exit(SKIPPED)
        os.execvp(unshare[0], [*unshare, sys.executable, __file__, *sys.argv[1:]])
    ip("link", "set", "lo", "up")
    unittest.main()
