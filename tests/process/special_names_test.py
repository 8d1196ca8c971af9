#!/usr/bin/env python3
"""Names that belong to nobody (RFC 6761, 7686, 8375, 6303) are answered here and never leave."""
import json, unittest

from daemon import Daemon
from upstream import Scripted, a, cname, ptr, says

OUTSIDE = ["localhost", "foo.localhost", "a.test", "x.onion", "www.invalid", "printer.home.arpa", "1.0.0.127.in-addr.arpa"]
SCRIPT = {(name, "A"): says(a(name, "203.0.113.66")) for name in OUTSIDE}
SCRIPT |= {("tolocal.example", "A"): says(cname("tolocal.example", "x.localhost"), a("x.localhost", "203.0.113.66")),
           ("1.0.0.10.in-addr.arpa", "PTR"): says(ptr("1.0.0.10.in-addr.arpa", "desk.corp.example")),
           ("own.test", "A"): says(a("own.test", "192.0.2.9"))}
COREFILE = """
cluster.local:{dns} in-addr.arpa:{dns} ip6.arpa:{dns} {{
    bind 127.0.0.1
    objects {work}/objects.json
}}
own.test:{dns} {{
    bind 127.0.0.1
    forward . 127.0.0.1:UP
}}
.:{dns} {{
    bind 127.0.0.1
    LOCAL
    forward . 127.0.0.1:UP
    cache
}}
"""
OBJECTS = {"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "me", "namespace": "default"},
     "spec": {"type": "ExternalName", "externalName": "me.localhost"}}]}


class SpecialNames(unittest.TestCase):
    def start(self, local=""):
        up = Scripted(SCRIPT)
        self.addCleanup(up.close)
        config = COREFILE.replace("UP", str(up.port)).replace("LOCAL", local)
        d = Daemon(config=config, hosts=["127.0.0.1"], api=False)
        (d.work / "objects.json").write_text(json.dumps(OBJECTS))
        d.__enter__()
        self.addCleanup(d.__exit__, None, None, None)
        up.asked.clear()  # of the question whether it is ready
        return d, up

    def test_localhost(self):
        d, up = self.start()
        for name in ("localhost", "LocalHost", "foo.localhost", "a.b.localhost"):
            for options in ((), ("+tcp",), ("+noedns",)):
                self.assertEqual(d.dig(name, "A", *options), ["127.0.0.1"])
                self.assertEqual(d.dig(name, "AAAA", *options), ["::1"])
            full = d.dig_full(name, "MX")
            self.assertIn("status: NOERROR", full)
            self.assertIn("ANSWER: 0, AUTHORITY: 1", full)
        self.assertEqual(d.dig("-x", "127.0.0.1"), ["localhost."])
        self.assertEqual(d.dig("-x", "::1"), ["localhost."])
        self.assertEqual(d.dig("me.default.svc.cluster.local"), ["127.0.0.1", "me.localhost."])
        self.assertEqual(d.dig("tolocal.example"), ["127.0.0.1", "x.localhost."])
        self.assertEqual([name for name, _ in up.asked if name != "tolocal.example"], [])

    def test_nobody_has_them(self):
        d, up = self.start()
        for name in ("www.invalid", "x.onion", "printer.home.arpa"):
            for rtype in ("A", "AAAA", "TXT"):
                self.assertEqual(d.rcode(name, rtype), "NXDOMAIN", (name, rtype))
        for address in ("127.1.2.3", "169.254.1.1", "0.0.0.0", "255.255.255.255", "fe80::1", "febf::1", "::"):
            full = d.dig_full("-x", address)
            self.assertRegex(full, "status: (NXDOMAIN|NOERROR)")
            self.assertIn("ANSWER: 0, AUTHORITY: 1", full)
        self.assertEqual(d.rcode("home.arpa", "A"), "NOERROR")
        self.assertEqual(len(d.dig("home.arpa", "SOA")), 1)
        self.assertEqual(up.asked, [])
        self.assertEqual(d.rcode("nottest", "A"), "NXDOMAIN")
        self.assertEqual(up.asked, [("nottest", "A")])

    def test_names_for_testing_do_not_leave_the_machine(self):
        d, up = self.start()
        self.assertEqual(d.dig("a.test"), ["203.0.113.66"])  # by a server of this machine
        self.assertEqual(up.asked, [("a.test", "A")])
        with Daemon(config=".:{dns} {{\n bind 127.0.0.1\n forward . 192.0.2.1\n}}\n", hosts=["127.0.0.1"], api=False) as d:
            self.assertEqual(d.rcode("a.test", "A"), "NXDOMAIN")
            self.assertEqual(d.rcode("test", "A"), "NOERROR")

    def test_private_addresses_are_the_networks_own_unless_they_are_kept(self):
        d, up = self.start()
        self.assertEqual(d.dig("-x", "10.0.0.1"), ["desk.corp.example."])
        d, up = self.start("local private")
        for address in ("10.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.255.255", "fd00::1"):
            self.assertEqual(d.rcode("-x", address), "NXDOMAIN")
        self.assertEqual(up.asked, [])
        d.dig("-x", "172.32.0.1")
        self.assertEqual(len(up.asked), 1)

    def test_a_block_for_such_a_zone_wins(self):
        d, up = self.start("local")
        self.assertEqual(d.dig("own.test"), ["192.0.2.9"])
        self.assertEqual(up.asked, [("own.test", "A")])

    def test_without_forwarding(self):
        with Daemon(hosts=["127.0.0.1"]) as d:
            self.assertEqual(d.dig("localhost"), ["127.0.0.1"])
            self.assertEqual(d.dig("-x", "127.0.0.1"), ["localhost."])
            self.assertEqual(d.rcode("-x", "127.0.0.2"), "NXDOMAIN")


if __name__ == "__main__":
    unittest.main()
