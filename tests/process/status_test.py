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

    def test_writes_are_in_the_log(self):
        with Daemon() as d:
            d.apply((SOURCE / "deploy/examples/web.yaml").read_text())
            path = "/api/v1/namespaces/default/services/web"
            merge = {"Content-Type": "application/merge-patch+json", "User-Agent": 'odd "agent"'}
            status, body = d.request("PATCH", path + "?fieldManager=x", '{"metadata":{"labels":{"a":"b"}}}', merge)
            self.assertEqual(status, 200)
            revision = body["metadata"]["resourceVersion"]
            d.request("PATCH", path + "?dryRun=All", '{"metadata":{"labels":{"a":"c"}}}', merge)
            d.request("PATCH", path, '{"spec":{"ports":[]}}', merge)
            d.request("DELETE", path)
            d.stop()
            lines = [line.split(" ", 2)[2] for line in d.log_text().splitlines() if " api: written " in line]
            self.assertEqual([line.split('"')[1] for line in lines],
                             ["POST /api/v1/namespaces/default/services",
                              "POST /apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
                              f"PATCH {path}", f"DELETE {path}"])
            self.assertIn("who=signpost from=127.0.0.1:", lines[0].replace('"', ""))
            self.assertIn(f"revision={revision}", lines[2])
            self.assertIn('who="odd \\"agent\\""', lines[2])

    def test_no_server(self):
        shown = run(SIGNPOST, "--server", "http://127.0.0.1:1", "status")
        self.assertEqual(shown.returncode, 4)
        self.assertIn("cannot be reached", shown.stderr)


if __name__ == "__main__":
    unittest.main()
