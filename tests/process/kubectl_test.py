#!/usr/bin/env python3
"""kubectl against our registry: get, apply, create, replace, patch, label, edit, diff, expose, delete, watch, wait, can-i.

KUBECTL names the program; without it, it is the one on the PATH. TRANSCRIPT names a file for all that was typed and
answered."""
import json, os, shlex, shutil, subprocess, threading, time, unittest

from daemon import KUBECTL, SIGNPOST, SOURCE, Daemon, run


@unittest.skipUnless(shutil.which(KUBECTL), "there is no kubectl on the PATH")
class Kubectl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon().__enter__()

        version = json.loads(cls.d.kubectl("version", "--client", "-o", "json").stdout)["clientVersion"]
        cls.minor = int(version["minor"].rstrip("+"))  # of kubectl 1.x

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(None, None, None)

    def transcribe(self, arguments, input, output):
        if transcript := os.environ.get("TRANSCRIPT"):
            with open(transcript, "a") as file:
                file.write(f"$ kubectl {shlex.join(arguments)}{' <<EOF' if input else ''}\n")
                file.write(f"{input.strip()}\nEOF\n" if input else "")
                file.write(f"{output}\n")

    def run_kubectl(self, *arguments, input=None):
        done = self.d.kubectl(*arguments, input=input)
        self.transcribe(arguments, input, done.stdout + done.stderr)
        return done

    def kubectl(self, *arguments, input=None, fails=False):
        done = self.run_kubectl(*arguments, input=input)
        self.assertEqual(done.returncode != 0, fails, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done.stderr if fails else done.stdout

    def test_01_versions_and_resources(self):
        self.kubectl("version")
        out = self.kubectl("api-resources")
        for word in ("services", "svc", "endpointslices", "namespaces", "ns", "endpoints"):
            self.assertIn(word, out)

    def test_02_apply_get_change_delete(self):
        for example in sorted((SOURCE / "deploy/examples").glob("*.yaml")):
            self.assertIn("created", self.kubectl("apply", "-f", str(example)))
            self.assertIn("unchanged", self.kubectl("apply", "-f", str(example)))
        out = self.kubectl("get", "svc")
        self.assertRegex(out.splitlines()[0], r"NAME\s+TYPE\s+CLUSTER-IP\s+EXTERNAL-IP\s+PORT\(S\)\s+AGE")
        self.assertRegex(out, r"web\s+ClusterIP\s+10\.\S+\s+<none>\s+80/TCP,9090/TCP")
        self.assertRegex(out, r"docs\s+ExternalName\s+<none>\s+docs\.example\.com\s+<none>")
        self.assertRegex(out, r"db\s+ClusterIP\s+None")
        self.assertIn("app=web", self.kubectl("get", "svc", "-o", "wide"))
        self.assertRegex(self.kubectl("get", "endpointslices"), r"web-1\s+IPv4\s+8080,9090\s+10\.244\.1\.10,10\.244\.2\.10")
        self.assertIn("10.244.1.10:8080", self.kubectl("get", "endpoints", "web"))
        self.assertRegex(self.kubectl("get", "ns"), r"shop\s+Active")

        web = (SOURCE / "deploy/examples/web.yaml").read_text()
        ip = json.loads(self.kubectl("get", "svc", "web", "-o", "json"))["spec"]["clusterIP"]
        self.assertIn("configured", self.kubectl("apply", "-f", "-", input=web.replace("port: 9090", "port: 9191")))
        changed = json.loads(self.kubectl("get", "svc", "web", "-o", "json"))
        self.assertEqual(changed["spec"]["clusterIP"], ip)
        self.assertEqual([p["port"] for p in changed["spec"]["ports"]], [80, 9191])

        self.kubectl("label", "svc", "web", "tier=front")
        self.assertIn("web", self.kubectl("get", "svc", "-l", "tier=front", "-o", "name"))
        self.assertEqual("", self.kubectl("get", "svc", "-l", "tier=back", "-o", "name"))
        self.kubectl("patch", "svc", "web", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')
        self.kubectl("patch", "svc", "web", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/x","value":"y"}]')
        self.kubectl("annotate", "svc", "web", "note=hello")
        web = json.loads(self.kubectl("get", "svc", "web", "-o", "json"))
        self.assertEqual(web["spec"]["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"], 10800)
        self.assertEqual(web["metadata"]["labels"], {"tier": "front", "x": "y"})
        self.assertEqual(web["metadata"]["annotations"]["note"], "hello")
        self.kubectl("replace", "-f", "-", input=json.dumps(web))
        self.assertIn("Cluster", self.kubectl("describe", "svc", "web"))

        self.assertIn("deleted", self.kubectl("delete", "svc", "web"))
        self.assertIn("not found", self.kubectl("get", "svc", "web", fails=True))
        self.kubectl("delete", "ns", "shop")
        self.assertIn("not found", self.kubectl("get", "svc", "-n", "shop", "cart", fails=True))

    def test_09_apply_in_turns_with_signpost(self):
        """Who applies what the other applied changes nothing, not even the revision."""
        text = """
apiVersion: v1
kind: Service
metadata: {name: turns, labels: {a: b}}
spec: {ports: [{name: http, port: 80}], selector: {app: turns}}
"""
        odd = text.replace("name: turns,", "name: odd-turns, annotations: {note: 'a < b & c > d é'},")
        for manifest, name in ((text, "turns"), (odd, "odd-turns")):
            signpost = lambda: run(SIGNPOST, "--server", self.d.url, "apply", "-f", "-", input=manifest).stdout
            self.kubectl("apply", "-f", "-", input=manifest)
            revision = self.kubectl("get", "svc", name, "-o", "jsonpath={.metadata.resourceVersion}")
            for said in (signpost(), self.kubectl("apply", "-f", "-", input=manifest), signpost()):
                self.assertEqual(said, f"service/{name} unchanged\n")
            self.assertEqual(self.kubectl("get", "svc", name, "-o", "jsonpath={.metadata.resourceVersion}"), revision)

    def test_03_typed_commands(self):
        self.kubectl("create", "namespace", "typed")
        self.kubectl("create", "service", "clusterip", "plain", "--tcp=80:8080", "-n", "typed")
        self.kubectl("create", "service", "externalname", "alias", "--external-name=x.example", "-n", "typed")
        self.assertEqual(self.d.dig("alias.typed.svc.cluster.local", "CNAME"), ["x.example."])
        if self.minor >= 23:  # the first that knows it
            self.kubectl("wait", "--for=jsonpath={.spec.type}=ClusterIP", "svc/plain", "-n", "typed", "--timeout=10s")
        self.kubectl("delete", "ns", "typed")

    def test_07_edit_diff_expose_wait_and_can_i(self):
        self.kubectl("create", "namespace", "verbs")
        verbs = ("-n", "verbs")
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}}
        self.kubectl("apply", "-f", "-", *verbs, input=json.dumps(manifest))

        manifest["spec"]["ports"][0]["port"] = 81
        differing = self.run_kubectl("diff", "-f", "-", *verbs, input=json.dumps(manifest))
        self.assertEqual(differing.returncode, 1, differing.stderr)
        self.assertRegex(differing.stdout, r"\+\s+-? *(name: http\n.*)?port: 81|\+.*port: 81")
        self.assertIn("80/TCP", self.kubectl("get", "svc", "web", *verbs))

        os.environ["KUBE_EDITOR"] = "sed -i s/http/https/"
        self.kubectl("edit", "svc", "web", *verbs)
        self.assertIn("https", self.kubectl("get", "svc", "web", "-o", "yaml", *verbs))

        self.kubectl("expose", "svc", "web", "--name=again", "--port=8080", *verbs)
        self.assertIn("8080/TCP", self.kubectl("get", "svc", "again", *verbs))
        waiting = threading.Thread(target=lambda: (time.sleep(1), self.kubectl("delete", "svc", "again", *verbs)))
        waiting.start()
        self.kubectl("wait", "--for=delete", "svc/again", "--timeout=60s", *verbs)
        waiting.join()

        self.assertIn("yes", self.kubectl("auth", "can-i", "create", "services"))
        self.assertIn("*", self.kubectl("auth", "can-i", "--list"))
        self.kubectl("delete", "ns", "verbs")

    def test_08_ranges_addresses_and_endpoints(self):
        self.kubectl("apply", "-f", "-", input="""
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: more}
spec: {cidrs: [10.77.0.0/24]}
---
apiVersion: networking.k8s.io/v1
kind: IPAddress
metadata: {name: 10.77.0.9}
spec: {parentRef: {resource: gateways, name: edge}}
---
apiVersion: v1
kind: Service
metadata: {name: far}
spec: {clusterIP: 10.77.0.7, ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: far}
subsets: [{addresses: [{ip: 10.9.0.1}], ports: [{port: 8080}]}]
""")
        self.assertRegex(self.kubectl("get", "servicecidrs"), r"more\s+10\.77\.0\.0/24")
        self.assertRegex(self.kubectl("get", "ipaddresses"), r"10\.77\.0\.7\s+services/default/far")
        self.assertIn("10.9.0.1:8080", self.kubectl("get", "endpoints", "far"))
        taken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"},
                 "spec": {"clusterIP": "10.77.0.9", "ports": [{"port": 80}]}}
        self.assertIn("held by gateways edge", self.kubectl("create", "-f", "-", input=json.dumps(taken), fails=True))
        self.kubectl("delete", "servicecidr", "more", "--wait=false")
        self.assertIn("Terminating", self.kubectl("get", "servicecidr", "more", "-o", "yaml"))
        self.kubectl("delete", "svc", "far", "--wait=true")
        self.kubectl("delete", "ipaddress", "10.77.0.9")
        self.d.kubectl("wait", "--for=delete", "servicecidr/more", "--timeout=60s")  # an old one fails if it is gone
        self.assertIn("not found", self.kubectl("get", "servicecidr", "more", fails=True))
        self.assertIn("not found", self.kubectl("get", "endpoints", "far", fails=True))

    def test_04_watch(self):
        arguments = ("get", "svc", "-w", "-o", "name")
        watch = subprocess.Popen([KUBECTL, "-s", self.d.url, "--kubeconfig", "/dev/null", "--cache-dir",
                                  str(self.d.work / "kube-cache"), *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        lines = []

        def read_until(name):
            while not lines or name not in lines[-1]:
                lines.append(watch.stdout.readline())
                self.assertTrue(lines[-1], "the watch has ended")

        read_until("service/kubernetes")
        self.kubectl("create", "service", "clusterip", "seen", "--tcp=80")
        read_until("service/seen")
        self.kubectl("delete", "svc", "seen")
        lines.append(watch.stdout.readline())
        self.assertIn("service/seen", lines[-1])
        self.transcribe(arguments, None, "".join(lines))

    def test_05_events_leases_pods_nodes(self):
        self.kubectl("apply", "-f", "-", input=json.dumps({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
            "spec": {"holderIdentity": "a-1", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000001Z"}}))
        self.assertRegex(self.kubectl("get", "leases"), r"NAME\s+HOLDER\s+AGE\nleader\s+a-1\s+")
        kubernetes = json.loads(self.kubectl("get", "svc", "kubernetes", "-o", "json"))
        self.kubectl("create", "-f", "-", input=json.dumps({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "kubernetes.1"}, "type": "Warning", "reason": "Odd",
            "message": "it looks odd", "source": {"component": "tester"}, "count": 2,
            "lastTimestamp": "2026-01-01T00:00:00Z",
            "involvedObject": {"kind": "Service", "namespace": "default", "name": "kubernetes",
                               "uid": kubernetes["metadata"]["uid"]}}))
        out = self.kubectl("get", "events")
        self.assertRegex(out, r"LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+MESSAGE\n"
                              r"\S+\s+Warning\s+Odd\s+service/kubernetes\s+it looks odd")
        self.assertIn("it looks odd", self.kubectl("describe", "svc", "kubernetes"))
        if self.minor >= 27:
            self.assertIn("holderIdentity", self.kubectl("explain", "lease.spec"))
            self.assertIn("regarding", self.kubectl("explain", "events", "--api-version=events.k8s.io/v1"))
        self.kubectl("apply", "-f", "-", input=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1"},
            "spec": {"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80}]}]}}))
        self.assertRegex(self.kubectl("get", "pods", "-o", "wide"), r"web-1\s+0/1\s+Pending\s+0\s+\S+\s+<none>\s+<none>")
        self.kubectl("create", "-f", "-", input=json.dumps({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
        self.assertRegex(self.kubectl("get", "nodes"), r"n\s+Ready\s+<none>")
        self.kubectl("delete", "pod", "web-1", "--wait=false")
        self.kubectl("delete", "node", "n")
        self.kubectl("delete", "event", "kubernetes.1")
        self.kubectl("delete", "lease", "leader")

    def test_06_refusals_read_well(self):
        err = self.kubectl("create", "service", "clusterip", "Bad_Name", "--tcp=80", fails=True)
        self.assertIn("DNS-1035", err)
        odd = "apiVersion: v1\nkind: Service\nmetadata: {name: odd}\nspec: {ports: [{port: 80}], colour: red}\n"
        strict = self.minor >= 27  # asks the server to be; an older one gets a warning from it
        done = self.d.kubectl("apply", "-f", "-", input=odd)
        self.assertEqual(done.returncode != 0, strict, done.stderr)
        self.assertIn('unknown field "spec.colour"', done.stderr)
        err = self.kubectl("create", "service", "clusterip", "x", "--tcp=80", "-n", "nowhere", fails=True)
        self.assertIn('namespaces "nowhere" not found', err)
        err = self.kubectl("delete", "ns", "default", fails=True)
        self.assertIn("forbidden", err)


if __name__ == "__main__":
    unittest.main()
