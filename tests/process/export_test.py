#!/usr/bin/env python3
"""`signpostd zone export`: the zone files of objects and of a registry in use, and what it says when it cannot."""
import tempfile, unittest

from daemon import SIGNPOSTD, SOURCE, Daemon, run

WEB = (SOURCE / "deploy/examples/web.yaml").read_text()


class Export(unittest.TestCase):
    def export(self, *flags, code=0):
        done = run(SIGNPOSTD, "zone", "export", *map(str, flags))
        self.assertEqual(done.returncode, code, done.stderr)
        if code:
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Asignpostd: [^\n]+\n\Z")
        return done.stdout.splitlines() if code == 0 else done.stderr

    def test_objects(self):
        lines = self.export("--objects", SOURCE / "deploy/examples/dual-stack.yaml", "--dns", "127.0.0.9:5300")
        self.assertRegex(lines[0], r"^cluster\.local\. 5 IN SOA ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5$")
        self.assertIn("ns.dns.cluster.local. 5 IN A 127.0.0.9", lines)
        self.assertEqual(len(lines), len(set(lines)))

    def test_a_registry_in_use_says_what_it_answers(self):
        with Daemon() as d:
            d.apply(WEB)
            address = d.dig("web.default.svc.cluster.local")[0]
            lines = self.export("--data", d.data)
            self.assertIn(f"web.default.svc.cluster.local. 5 IN A {address}", lines)
            self.assertIn(f"web.default.cluster.local. 5 IN A {address}", lines)
            self.assertIn("_http._tcp.web.default.svc.cluster.local. 5 IN SRV 0 100 80 web.default.svc.cluster.local.", lines)
            reverse = ".".join(reversed(address.split("."))) + ".in-addr.arpa."
            self.assertIn(f"{reverse} 5 IN PTR web.default.svc.cluster.local.", self.export("--data", d.data, "in-addr.arpa."))
            self.assertEqual(d.dig("web.default.svc.cluster.local"), [address])

    def test_what_it_cannot_do(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("no registry", self.export("--data", empty, code=1))
        self.assertIn("No such file", self.export("--objects", "missing.yaml", code=1))
        self.assertIn("example.org", self.export("--objects", SOURCE / "deploy/examples/web.yaml", "example.org", code=1))
        self.assertIn("one origin", self.export("ip6.arpa", "in-addr.arpa", code=1))
        done = run(SIGNPOSTD, "zone")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("zone export", done.stderr)


if __name__ == "__main__":
    unittest.main()
