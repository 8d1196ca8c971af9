#!/usr/bin/env python3
"""Names outside the zones: forwarded to an upstream of the test's own, cached, asked once."""
import contextlib, socket, struct, threading, unittest

from daemon import Daemon

COREFILE = """
cluster.local:{dns} in-addr.arpa:{dns} ip6.arpa:{dns} {{
    bind 127.0.0.1
    registry {{
        data {data}
        listen 127.0.0.1:{api}
    }}
}}
.:{dns} {{
    bind 127.0.0.1
    errors
    forward . UPSTREAMS
    cache
}}
"""


def question(packet):
    """(name, type, end of the question)."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], at + 5


class Upstream:
    """Answers over UDP and TCP from a table {(name, type): rdata bytes}; counts what it is asked."""

    def __init__(self, table, truncate=()):
        self.table, self.truncate, self.asked = table, truncate, []
        self.udp, self.tcp = self.listen()
        self.port = self.udp.getsockname()[1]
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    @staticmethod
    def listen():
        """A UDP and a TCP socket on the same free port."""
        while True:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", 0))
            try:
                return udp, socket.create_server(udp.getsockname())
            except OSError:
                udp.close()

    def answer(self, packet, tcp):
        name, rtype, end = question(packet)
        self.asked.append((name, rtype, "tcp" if tcp else "udp"))
        head = packet[:2]
        if name in self.truncate and not tcp:
            return head + b"\x83\x80\0\1\0\0\0\0\0\0" + packet[12:end]
        rdata = self.table.get((name, rtype))
        if rdata is None:
            soa = b"\0\0\6\0\1\0\0\0\x3c" + struct.pack("!H", 22) + b"\0\0" + struct.pack("!5I", 1, 2, 3, 4, 60)
            return head + b"\x81\x83\0\1\0\0\0\1\0\0" + packet[12:end] + soa
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", rtype, 1, 300, len(r)) + r for r in rdata)
        return head + b"\x81\x80\0\1" + struct.pack("!H", len(rdata)) + b"\0\0\0\0" + packet[12:end] + records

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                packet, peer = self.udp.recvfrom(4096)
                self.udp.sendto(self.answer(packet, False), peer)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.tcp.accept()
                with contextlib.closing(connection):
                    length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
                    reply = self.answer(connection.recv(length, socket.MSG_WAITALL), True)
                    connection.sendall(struct.pack("!H", len(reply)) + reply)

    def close(self):
        self.udp.close()
        self.tcp.close()


class Forwarding(unittest.TestCase):
    def setUp(self):
        many = [bytes([192, 0, 2, i]) for i in range(1, 101)]
        self.up = Upstream({("www.example.com", 1): [bytes([192, 0, 2, 1])], ("big.example.com", 1): many,
                            ("docs.example.com", 1): [bytes([192, 0, 2, 7])]}, truncate=["big.example.com"])
        self.addCleanup(self.up.close)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            dead = s.getsockname()[1]
        upstreams = f"127.0.0.1:{dead} 127.0.0.1:{self.up.port} {{{{\n policy sequential\n read_timeout 200ms\n }}}}"
        self.d = Daemon(config=COREFILE.replace("UPSTREAMS", upstreams), hosts=["127.0.0.1"])
        self.d.__enter__()
        self.addCleanup(self.d.__exit__, None, None, None)

    def test_forwarded_cached_and_counted_down(self):
        for _ in range(5):
            self.assertEqual(self.d.dig("www.example.com"), ["192.0.2.1"])
        self.assertEqual(len([a for a in self.up.asked if a[0] == "www.example.com"]), 1)
        full = self.d.dig_full("WWW.example.com")
        self.assertRegex(full, r"flags: qr rd ra;")
        self.assertIn("WWW.example.com.", full)

    def test_nxdomain_is_cached(self):
        for _ in range(3):
            self.assertEqual(self.d.rcode("nobody.example.com"), "NXDOMAIN")
        self.assertEqual(len([a for a in self.up.asked if a[0] == "nobody.example.com"]), 1)

    def test_truncated_answers_are_fetched_over_tcp(self):
        self.assertEqual(len(self.d.dig("big.example.com", "A", "+tcp")), 100)
        self.assertIn(("big.example.com", 1, "tcp"), self.up.asked)
        full = self.d.dig_full("big.example.com", "A", "+noedns", "+ignore", "+notcp")
        self.assertRegex(full, r"flags: qr tc rd ra;")

    def test_names_in_our_zones_never_leave(self):
        self.assertEqual(self.d.rcode("nobody.default.svc.cluster.local"), "NXDOMAIN")
        self.assertEqual(self.d.rcode("1.0.96.10.in-addr.arpa", "PTR"), "NOERROR")  # kubernetes.default's
        self.assertEqual([a for a in self.up.asked if a[0].endswith(("cluster.local", "arpa"))], [])

    def test_external_names_are_resolved_to_their_end(self):
        self.d.apply("apiVersion: v1\nkind: Service\nmetadata: {name: docs}\n"
                     "spec: {type: ExternalName, externalName: docs.example.com}\n")
        self.d.dig_until(["192.0.2.7", "docs.example.com."], "docs.default.svc.cluster.local")
        self.d.dig_until(["192.0.2.7", "docs.example.com."], "docs.default.svc.cluster.local", "A", "+tcp")

    def test_servfail_when_nobody_answers(self):
        self.up.close()
        self.assertEqual(self.d.rcode("late.example.com"), "SERVFAIL")
        self.assertEqual(self.d.dig("dns-version.cluster.local", "TXT"), ['"1.1.0"'])


TWO_PORTS = """
.:{dns} {{
    bind 127.0.0.1
    forward . 127.0.0.1:ONE
    cache
}}
.:{api} {{
    bind 127.0.0.1
    forward . 127.0.0.1:TWO
    cache
}}
"""


class Blocks(unittest.TestCase):
    def test_one_zone_on_two_ports_has_two_upstreams_and_two_caches(self):
        ups = [Upstream({("www.example.com", 1): [bytes([192, 0, 2, i])]}) for i in (1, 2)]
        for up in ups:
            self.addCleanup(up.close)
        config = TWO_PORTS.replace("ONE", str(ups[0].port)).replace("TWO", str(ups[1].port))
        with Daemon(config=config, hosts=["127.0.0.1"], api=None) as d:
            for _ in range(2):
                self.assertEqual(d.dig("www.example.com"), ["192.0.2.1"])
                self.assertEqual(d.dig("www.example.com", "A", "-p", str(d.api_port)), ["192.0.2.2"])


    def test_metrics_are_there_without_a_source(self):
        config = ".:{dns} {{\n    bind 127.0.0.1\n    forward . 127.0.0.1:9\n}}\n"
        d = Daemon(config=config, hosts=["127.0.0.1"])
        d.flags = ["--api", f"127.0.0.1:{d.api_port}"]
        with d:
            code, page = d.request("GET", "/metrics")
            self.assertEqual(code, 200)
            self.assertIn("signpost_forward_tries_total 0", page)
            self.assertEqual(d.request("GET", "/api/v1/services")[1]["items"], [])


RESOLV_CONF = """
.:{dns} {{
    bind 127.0.0.1
    forward . {work}/resolv.conf
}}
"""


class Files(unittest.TestCase):
    def test_a_resolv_conf_is_followed_whatever_is_in_it(self):
        ups = [Upstream({("www.example.com", 1): [bytes([192, 0, 2, i])]}) for i in (1, 2)]
        for up in ups:
            self.addCleanup(up.close)
        d = Daemon(config=RESOLV_CONF, hosts=["127.0.0.1"], api=None)
        conf = d.work / "resolv.conf"
        with d:  # it starts without the file
            self.assertIn(f"{conf} does not exist", d.log_text())
            self.assertEqual(d.rcode("www.example.com"), "SERVFAIL")
            conf.write_text(f"search a\nnamserver 192.0.2.9\nnameserver 127.0.0.1:{d.dns_port}\n"
                            f"nameserver 127.0.0.1:{ups[0].port}\n")
            d.dig_until(["192.0.2.1"], "www.example.com")
            self.assertRegex(d.log_text(), r'resolv.conf:2: .*namserver.* is not understood')
            self.assertIn("resolv.conf:3: 127.0.0.1:%d is this server itself" % d.dns_port, d.log_text())
            new = d.work / "new"
            new.write_text(f"nameserver 127.0.0.1:{ups[1].port}\n")
            new.replace(conf)
            d.dig_until(["192.0.2.2"], "www.example.com")


class Slow(unittest.TestCase):
    def test_an_upstream_that_needs_longer_than_a_try_is_waited_for(self):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(udp.close)
        udp.bind(("127.0.0.1", 0))

        def answer_the_first_when_the_second_is_there():
            asked = []
            while len(asked) < 2:
                packet, peer = udp.recvfrom(4096)
                name, _, end = question(packet)
                if name == "www.example.com":
                    asked.append((packet, peer))
                else:  # the daemon is asked whether it is there
                    udp.sendto(packet[:2] + b"\x81\x85" + packet[4:], peer)
            first, peer = asked[0]
            udp.sendto(first[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + first[12:end] +
                       b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", peer)
        threading.Thread(target=answer_the_first_when_the_second_is_there, daemon=True).start()
        config = ".:{dns} {{\n bind 127.0.0.1\n forward . 127.0.0.1:PORT {{\n read_timeout 100ms\n }}\n}}\n"
        with Daemon(config=config.replace("PORT", str(udp.getsockname()[1])), hosts=["127.0.0.1"], api=None) as d:
            self.assertEqual(d.dig("www.example.com"), ["192.0.2.1"])


if __name__ == "__main__":
    unittest.main()
