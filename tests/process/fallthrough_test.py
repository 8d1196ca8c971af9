#!/usr/bin/env python3
"""A source is authoritative for what it knows: other reverse names, and what `fallthrough` names, are forwarded."""
import json, unittest

from daemon import Daemon
from upstream import Scripted, a, ptr, says

GOOGLE, DOCUMENTATION = "8.8.8.8.in-addr.arpa", "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"
SCRIPT = {(GOOGLE, "PTR"): says(ptr(GOOGLE, "dns.example")),
          (DOCUMENTATION, "PTR"): says(ptr(DOCUMENTATION, "six.example")),
          ("7.0.96.10.in-addr.arpa", "PTR"): says(ptr("7.0.96.10.in-addr.arpa", "stranger.example")),
          ("20.0.96.10.in-addr.arpa", "PTR"): says(ptr("20.0.96.10.in-addr.arpa", "liar.example")),
          ("old.cluster.local", "A"): says(a("old.cluster.local", "192.0.2.5"))}
OBJECTS = {"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
     "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80}]}},
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "back", "namespace": "default"},
     "spec": {"type": "ExternalName", "externalName": GOOGLE}},
]}
TWO_BLOCKS = """
cluster.local:{dns} in-addr.arpa:{dns} ip6.arpa:{dns} {{
    bind 127.0.0.1
    objects {work}/objects.json {{
        FALLTHROUGH
    }}
}}
.:{dns} {{
    bind 127.0.0.1
    forward FROM 127.0.0.1:UP
    cache
}}
"""
ONE_BLOCK = """
.:{dns} {{
    bind 127.0.0.1
    registry cluster.local in-addr.arpa ip6.arpa {{
        data {data}
        listen 127.0.0.1:{api}
    }}
    forward . 127.0.0.1:UP
    cache
}}
"""


class Fallthrough(unittest.TestCase):
    def start(self, config, fallthrough="", forward_from="."):
        self.up = Scripted(SCRIPT)
        self.addCleanup(self.up.close)
        config = config.replace("UP", str(self.up.port)).replace("FROM", forward_from)
        d = Daemon(config=config.replace("FALLTHROUGH", fallthrough), hosts=["127.0.0.1"], api="registry" in config)
        (d.work / "objects.json").write_text(json.dumps(OBJECTS))
        d.__enter__()
        self.addCleanup(d.__exit__, None, None, None)
        self.up.asked.clear()  # of the question whether it is ready
        return d

    def test_reverse_names_that_are_not_ours_are_forwarded(self):
        d = self.start(TWO_BLOCKS)
        for _ in range(2):
            self.assertEqual(d.dig("-x", "8.8.8.8"), ["dns.example."])
            self.assertEqual(d.dig("-x", "8.8.8.8", "+tcp"), ["dns.example."])
            self.assertEqual(d.dig("-x", "2001:db8::1"), ["six.example."])
            self.assertEqual(d.dig("-x", "10.96.0.7"), ["stranger.example."])
            self.assertEqual(d.dig("-x", "10.96.0.20"), ["web.default.svc.cluster.local."])
        self.assertEqual(d.dig("back.default.svc.cluster.local", "PTR"), [GOOGLE + ".", "dns.example."])
        self.assertNotIn("20.0.96.10.in-addr.arpa", [name for name, _ in self.up.asked])
        self.assertEqual(d.rcode("96.10.in-addr.arpa", "PTR"), "NOERROR")  # names below it are ours
        self.assertEqual(d.rcode("old.cluster.local"), "NXDOMAIN")
        self.assertEqual(self.up.asked_below("cluster.local"), [])

    def test_in_one_block(self):
        d = self.start(ONE_BLOCK)
        self.assertEqual(d.dig("-x", "8.8.8.8"), ["dns.example."])
        self.assertEqual(d.dig("-x", "10.96.0.1"), ["kubernetes.default.svc.cluster.local."])

    def test_zones_that_are_named(self):
        d = self.start(TWO_BLOCKS, "fallthrough cluster.local 8.in-addr.arpa")
        self.assertEqual(d.dig("old.cluster.local"), ["192.0.2.5"])
        self.assertEqual(d.dig("-x", "8.8.8.8"), ["dns.example."])
        self.assertEqual(d.rcode("7.0.96.10.in-addr.arpa", "PTR"), "NXDOMAIN")
        self.assertEqual(d.rcode("web.default.svc.cluster.local", "MX"), "NOERROR")

    def test_all_zones_and_none(self):
        d = self.start(TWO_BLOCKS, "fallthrough")
        self.assertEqual(d.dig("old.cluster.local"), ["192.0.2.5"])
        d = self.start(TWO_BLOCKS, "fallthrough none")
        self.assertIn("ns.dns.cluster.local.", d.dig_full("-x", "8.8.8.8"))
        self.assertEqual(self.up.asked, [])

    def test_what_is_not_forwarded_is_denied(self):
        d = self.start(TWO_BLOCKS, forward_from="example")
        full = d.dig_full("-x", "8.8.8.8")
        self.assertIn("status: NXDOMAIN", full)
        self.assertIn("ns.dns.cluster.local.", full)
        self.assertEqual(self.up.asked, [])


if __name__ == "__main__":
    unittest.main()
