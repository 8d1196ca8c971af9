#!/usr/bin/env python3
"""The registry through its API: addresses, kill -9, disk full."""
import concurrent.futures, contextlib, http.client, json, random, signal, threading, unittest

from daemon import Daemon

SERVICES = "/api/v1/namespaces/default/services"


def service(name, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


class Addresses(unittest.TestCase):
    def test_small_range_fills_and_frees(self):
        with Daemon(vip=["10.96.0.0/28"]) as d:
            given = {}
            for i in range(20):
                code, body = d.request("POST", SERVICES, service(f"s{i}"))
                if code != 201:
                    self.assertEqual((code, body["reason"]), (500, "InternalError"))
                    self.assertIn("range is full", body["message"])
                    break
                given[f"s{i}"] = body["spec"]["clusterIP"]
            # 14 usable, one for default/kubernetes; that of the DNS is the last one given
            self.assertEqual(len(given), 13)
            self.assertEqual(len(set(given.values())), 13)
            self.assertEqual(given["s12"], "10.96.0.10")
            self.assertEqual(d.request("DELETE", f"{SERVICES}/s3")[0], 200)
            code, body = d.request("POST", SERVICES, service("again"))
            self.assertEqual((code, body["spec"]["clusterIP"]), (201, given["s3"]))

    def test_deleting_a_namespace_frees_what_is_in_it(self):
        with Daemon(vip=["10.96.0.0/24"]) as d:
            self.assertEqual(d.request("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})[0], 201)
            path = "/api/v1/namespaces/team/services"
            self.assertEqual(d.request("POST", path, service("a", clusterIP="10.96.0.77"))[0], 201)
            d.dig_until(["10.96.0.77"], "a.team.svc.cluster.local")
            self.assertEqual(d.request("DELETE", "/api/v1/namespaces/team")[0], 200)
            self.assertEqual(d.request("GET", f"{path}/a")[0], 404)
            self.assertEqual(d.request("POST", SERVICES, service("b", clusterIP="10.96.0.77"))[0], 201)
            d.dig_until(["b.default.svc.cluster.local."], "77.0.96.10.in-addr.arpa", "PTR")

    def test_addresses_stay_across_a_restart(self):
        with Daemon() as d:
            before = [d.request("POST", SERVICES, service(f"s{i}"))[1]["spec"]["clusterIPs"] for i in range(10)]
            d.restart()
            after = [d.request("GET", f"{SERVICES}/s{i}")[1]["spec"]["clusterIPs"] for i in range(10)]
            self.assertEqual(before, after)
            d.dig_until([before[3][0]], "s3.default.svc.cluster.local")


class Selected(unittest.TestCase):
    def test_pods_are_answered_under_the_name_of_their_service(self):
        pods = "/api/v1/namespaces/default/pods"
        with Daemon() as d:
            self.assertEqual(d.request("POST", SERVICES, service("web", clusterIP="None", selector={"app": "web"}))[0], 201)
            for i in (1, 2):
                pod = {"metadata": {"name": f"p{i}", "labels": {"app": "web"}},
                       "spec": {"hostname": f"p{i}", "subdomain": "web", "containers": [{"name": "c"}]}}
                self.assertEqual(d.request("POST", pods, pod)[0], 201)
                status = {"status": {"phase": "Running", "podIP": f"10.1.0.{i}",
                                     "conditions": [{"type": "Ready", "status": "True"}]}}
                self.assertEqual(d.request("PATCH", f"{pods}/p{i}/status", status,
                                           {"Content-Type": "application/merge-patch+json"})[0], 200)
            d.dig_until(["10.1.0.1", "10.1.0.2"], "web.default.svc.cluster.local")
            d.dig_until(["10.1.0.2"], "p2.web.default.svc.cluster.local")
            self.assertEqual(d.request("DELETE", f"{pods}/p2")[0], 200)
            d.dig_until(["10.1.0.1"], "web.default.svc.cluster.local")
            d.restart()
            d.dig_until(["10.1.0.1"], "web.default.svc.cluster.local")


class Killed(unittest.TestCase):
    """kill -9 in a storm of creates and deletes: what was answered is there, and no address is held twice."""

    def storm(self, d, worker, known, lock, stop):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", d.api_port, timeout=30)) as connection:
            self.storm_over(connection, worker, known, lock, stop)

    def storm_over(self, connection, worker, known, lock, stop):
        rng = random.Random(worker)
        i = 0
        while not stop.is_set():
            i += 1
            name = f"w{worker}-{rng.randrange(1 << 40):x}"
            try:
                connection.request("POST", SERVICES, json.dumps(service(name)), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status == 201:
                    with lock:
                        known[name] = body["spec"]["clusterIP"]
                if i % 3 == 0:
                    with lock:
                        known[name] = None  # unknown until answered
                    connection.request("DELETE", f"{SERVICES}/{name}")
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        with lock:
                            known[name] = "deleted"
            except (OSError, http.client.HTTPException, ValueError):
                return

    def test_no_answered_write_is_lost_and_no_address_is_given_twice(self):
        with Daemon(vip=["10.96.0.0/16"]) as d:
            known, lock = {}, threading.Lock()
            for round_number in range(4):
                stop = threading.Event()
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    for w in range(8):
                        pool.submit(self.storm, d, round_number * 8 + w, known, lock, stop)
                    wanted = len(known) + 60
                    while True:
                        with lock:
                            if len(known) >= wanted:
                                break
                    d.process.send_signal(signal.SIGKILL)
                    stop.set()
                d.restart(signal.SIGKILL)
                items = d.request("GET", "/api/v1/services")[1]["items"]
                stored = {i["metadata"]["name"]: i["spec"]["clusterIP"] for i in items}
                addresses = list(stored.values())
                self.assertEqual(len(addresses), len(set(addresses)), "an address was given twice")
                for name, ip in known.items():
                    if ip == "deleted":
                        self.assertNotIn(name, stored)
                    elif ip is not None:
                        self.assertEqual(stored.get(name), ip, f"{name}: an answered create is lost")
            sample = random.Random(1).sample([n for n, ip in known.items() if ip not in (None, "deleted")], 20)
            for name in sample:
                d.dig_until([known[name]], f"{name}.default.svc.cluster.local")


if __name__ == "__main__":
    unittest.main()
