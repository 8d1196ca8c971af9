#!/usr/bin/env python3
"""The status page, as the command line shows it and as programs read it."""
import json, unittest

from daemon import SIGNPOST, SOURCE, Daemon, run


class Status(unittest.TestCase):
    def test_a_registry(self):
        with Daemon() as d:
            d.apply((SOURCE / "deploy/examples/web.yaml").read_text())
            shown = run(SIGNPOST, "--server", d.url, "status")
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
            for line in ("State:      ready", "Services:   2", "Endpoints:  2 ready, 0 not ready",
                         "Zones:      cluster.local, in-addr.arpa, ip6.arpa"):
                self.assertIn(line + "\n", shown.stdout)
            page = json.loads(run(SIGNPOST, "--server", d.url, "status", "-o", "json").stdout)
            self.assertEqual(page["sources"][0]["kind"], "registry")
            self.assertGreater(page["revision"], 0)
            self.assertIn(f"127.0.0.1:{d.dns_port}", page["dns"])

    def test_no_server(self):
        shown = run(SIGNPOST, "--server", "http://127.0.0.1:1", "status")
        self.assertEqual(shown.returncode, 4)
        self.assertIn("cannot be reached", shown.stderr)


if __name__ == "__main__":
    unittest.main()
