#!/usr/bin/env python3
"""The `objects` source: files as they are, read-only API, reload."""
import os, pathlib, subprocess, tempfile, unittest

from daemon import PATIENCE, Daemon

ONE = """
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: {name: web, namespace: default}
    spec: {clusterIP: 192.0.2.80, clusterIPs: [192.0.2.80], ports: [{name: http, port: 80}]}
  - apiVersion: v1
    kind: Namespace
    metadata: {name: default}
"""
TWO = ONE.replace("192.0.2.80", "192.0.2.81").replace("name: web", "name: shop")


class Objects(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="signpost-test.")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)
        self.file = self.work / "objects.yaml"
        self.file.write_text(ONE)

    def replace(self, text):
        new = self.work / "new"
        new.write_text(text)
        os.rename(new, self.file)

    def test_served_as_they_are_and_reloaded(self):
        with Daemon(objects=[self.file]) as d:
            self.assertEqual(d.dig("web.default.svc.cluster.local"), ["192.0.2.80"])
            code, body = d.request("GET", "/api/v1/namespaces/default/services/web")
            self.assertEqual((code, body["spec"]["clusterIP"]), (200, "192.0.2.80"))
            code, body = d.request("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "x"}, "spec": {}})
            self.assertEqual((code, body["reason"]), (405, "MethodNotAllowed"))
            self.assertEqual(d.request("DELETE", "/api/v1/namespaces/default/services/web")[0], 405)
            self.assertFalse(d.data.exists(), "--data is left alone")

            self.replace(TWO)
            d.dig_until(["192.0.2.81"], "shop.default.svc.cluster.local")
            self.assertEqual(d.rcode("web.default.svc.cluster.local"), "NXDOMAIN")
            self.assertEqual(d.request("GET", "/api/v1/namespaces/default/services/web")[0], 404)

            self.replace("kind: [")  # damaged: the last state is served on
            self.replace(ONE.replace("192.0.2.80", "192.0.2.82"))
            d.dig_until(["192.0.2.82"], "web.default.svc.cluster.local")

    def test_a_damaged_file_keeps_the_last_state(self):
        with Daemon(objects=[self.file]) as d:
            self.replace("kind: [")
            while "cannot be read" not in d.log_text():
                self.assertEqual(d.dig("web.default.svc.cluster.local"), ["192.0.2.80"])
            self.assertEqual(d.dig("web.default.svc.cluster.local"), ["192.0.2.80"])

    def test_a_reload_ends_watches_as_expired(self):
        with Daemon(objects=[self.file]) as d:
            watch = subprocess.Popen(["curl", "-sN", f"{d.url}/api/v1/services?watch=true"], stdout=subprocess.PIPE)
            self.assertIn(b'"ADDED"', watch.stdout.readline())
            self.replace(TWO)
            events = watch.stdout.read()  # until the server ends the stream
            self.assertEqual(watch.wait(PATIENCE), 0)
            watch.stdout.close()
            self.assertIn(b'"ERROR"', events)
            self.assertIn(b'"code":410', events)

    def test_several_files_and_json(self):
        other = self.work / "other.json"
        other.write_text('{"apiVersion":"v1","kind":"Service","metadata":{"name":"j"},"spec":{"type":"ExternalName",'
                         '"externalName":"x.example"}}')
        with Daemon(objects=[self.file, other]) as d:
            self.assertEqual(d.dig("j.default.svc.cluster.local", "CNAME"), ["x.example."])


if __name__ == "__main__":
    unittest.main()
