#!/usr/bin/env python3
"""`signpost env` and `signpost exec` against a real registry and from files."""
import json, unittest

from daemon import SIGNPOST, SOURCE, Daemon, run


class Environment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon().__enter__()
        for example in sorted((SOURCE / "deploy/examples").glob("*.yaml")):
            cls.d.apply(example.read_text())
        cls.web = cls.d.request("GET", "/api/v1/namespaces/default/services/web")[1]["spec"]["clusterIP"]

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(None, None, None)

    def test_env_of_a_namespace(self):
        done = self.d.signpost("env", "--namespace", "default")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        for line in (f"WEB_SERVICE_HOST={self.web}", "WEB_SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80",
                     "WEB_SERVICE_PORT_METRICS=9090", f"WEB_PORT=tcp://{self.web}:80", "WEB_PORT_9090_TCP_PROTO=tcp",
                     "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"):
            self.assertIn(line, lines)
        self.assertNotIn("DB_SERVICE_HOST", done.stdout)
        self.assertNotIn("DOCS_SERVICE_HOST", done.stdout)
        other = self.d.signpost("env", "--namespace", "shop").stdout
        self.assertIn("CART_SERVICE_HOST=", other)
        self.assertIn("KUBERNETES_SERVICE_HOST=", other)
        self.assertNotIn("WEB_", other)

    def test_exec_runs_a_command_with_them(self):
        done = self.d.signpost("exec", "--namespace", "default", "--", "sh", "-c", 'echo "$WEB_SERVICE_HOST"; exit 7')
        self.assertEqual((done.stdout.strip(), done.returncode), (self.web, 7), done.stderr)

    def test_from_files_without_a_server(self):
        services = self.d.request("GET", "/api/v1/services")[1]
        manifest = self.d.work / "services.json"
        manifest.write_text(json.dumps(services))
        live = self.d.signpost("env", "--namespace", "default", "--format", "json")
        offline = run(SIGNPOST, "env", "--namespace", "default", "--file", str(manifest), "--format", "json",
                      env={"SIGNPOST_SERVER": "http://127.0.0.1:1"})
        self.assertEqual(offline.returncode, 0, offline.stderr)
        self.assertEqual(json.loads(offline.stdout), json.loads(live.stdout))
        self.assertEqual(set(json.loads(live.stdout)[0]), {"name", "value"})

    def test_a_server_that_is_not_there(self):
        done = run(SIGNPOST, "env", "--namespace", "default", env={"SIGNPOST_SERVER": "http://127.0.0.1:1"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("http://127.0.0.1:1", done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1)

    def test_resolve(self):
        done = self.d.signpost("resolve", "web")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.web, done.stdout)
        self.assertNotEqual(self.d.signpost("resolve", "nobody").returncode, 0)


if __name__ == "__main__":
    unittest.main()
