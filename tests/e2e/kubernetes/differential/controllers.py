"""What controllers make of Services, Pods and Endpoints: the EndpointSlices of kube-controller-manager and ours."""
import contextlib, json, pathlib, subprocess, time

from server import TOKEN, Normal

NODES = "/api/v1/nodes"
MERGE = "application/merge-patch+json"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"


@contextlib.contextmanager
def kube_controller_manager(program, server, work):
    work = pathlib.Path(work)
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "it",
              "clusters": [{"name": "it", "cluster": {"server": server.url, "insecure-skip-tls-verify": True}}],
              "users": [{"name": "it", "user": {"token": TOKEN}}], "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}
    (work / "kubeconfig").write_text(json.dumps(config))
    with open(work / "controllers.log", "wb") as log:
        process = subprocess.Popen([program, "--kubeconfig", str(work / "kubeconfig"), "--leader-elect=false", "--secure-port=0", "--controllers",
                                    "endpointslice-controller,endpointslice-mirroring-controller,endpoints-controller"], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def pod(name, address, ready=True, labels=None, phase="Running", ports=(), node="node-a", finalizers=(), **spec):
    addresses = [address] if isinstance(address, str) else list(address or ())
    return ({"metadata": {"name": name, "labels": labels or {"app": "web"}, "finalizers": list(finalizers)},
             "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "ports": list(ports)}], **spec}},
            {"status": {"phase": phase, **({"podIP": addresses[0]} if addresses else {}), "podIPs": [{"ip": one} for one in addresses],
                        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}})


def service(name="web", ports=({"name": "http", "port": 80, "targetPort": 8080},), **spec):
    return {"metadata": {"name": name}, "spec": {"selector": {"app": "web"}, "ports": list(ports), **spec}}


PODS = (pod("ready", "10.1.0.1"), pod("unready", "10.1.0.2", ready=False), pod("without", None), pod("failed", "10.1.0.4", phase="Failed"),
        pod("done", "10.1.0.5", phase="Succeeded"), pod("other", "10.1.0.6", labels={"app": "db"}), pod("host", "10.1.0.7", hostname="h", subdomain="web"),
        pod("elsewhere", "10.1.0.8", hostname="h2", subdomain="away", node="node-b"),
        pod("going", "10.1.0.9", finalizers=("a.b/c",)), pod("goingunready", "10.1.0.10", ready=False, finalizers=("a.b/c",)))
NAMED = (pod("one", "10.1.0.1", ports=[{"name": "web", "containerPort": 8001}]), pod("two", "10.1.0.2", ports=[{"name": "web", "containerPort": 8002}]),
         pod("three", "10.1.0.3", ports=[{"name": "web", "containerPort": 8001}]), pod("four", "10.1.0.4", ports=[{"name": "web", "containerPort": 8001, "protocol": "UDP"}]))
BOTH = (pod("b1", ("10.1.0.1", "fd01::1")), pod("b2", ("fd01::2", "10.1.0.2")), pod("b3", "10.1.0.3"), pod("b4", "fd01::4"))
MANY = tuple(pod(f"p{number}", f"10.1.1.{number}") for number in range(1, 131))

# Name, Pods, Services, and what is then changed: (method, path behind the namespace, body).
CASES = (
    ("plain", PODS, [service()], []),
    ("unready", PODS, [service(publishNotReadyAddresses=True)], []),
    ("headless", PODS, [service(clusterIP="None")], []),
    ("portless", PODS, [service(ports=[], clusterIP="None")], []),
    ("named", NAMED, [service(ports=[{"name": "http", "port": 80, "targetPort": "web"}, {"name": "fixed", "port": 81, "targetPort": 9000}])], []),
    ("missing", NAMED, [service(ports=[{"name": "http", "port": 80, "targetPort": "none"}])], []),
    ("protocols", PODS[:2], [service(ports=[{"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP", "appProtocol": "x.io/y"}])], []),
    ("dual", BOTH, [service(ipFamilyPolicy="RequireDualStack")], []),
    ("six", BOTH, [service(ipFamilies=["IPv6"])], []),
    ("dualheadless", BOTH, [service(clusterIP="None", ipFamilyPolicy="RequireDualStack")], []),
    ("many", MANY, [service()], []),
    ("labelled", PODS[:2], [{**service(), "metadata": {"name": "web", "labels": {"tier": "front"}}}], []),
    ("two", PODS, [service(), service("again", ports=[{"port": 81}])], []),
    ("external", PODS, [service(type="ExternalName", externalName="a.example.com")], []),
    ("zones", PODS[:2] + PODS[6:8], [service(trafficDistribution="PreferSameZone")], []),
    ("nodes", PODS[:2] + PODS[6:8], [service(trafficDistribution="PreferSameNode")], []),
    ("moved", PODS, [service()], [("PATCH", "services/web", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 9090}]}})]),
    ("reselected", PODS, [service()], [("PATCH", "services/web", {"spec": {"selector": {"app": "db"}}})]),
    ("unselected", PODS, [service()], [("PATCH", "services/web", {"spec": {"selector": None}})]),
    ("relabelled", PODS, [service()], [("PATCH", "pods/ready", {"metadata": {"labels": {"app": "x"}}}), ("PATCH", "pods/other", {"metadata": {"labels": {"app": "web"}}})]),
    ("recovered", PODS, [service()], [("PATCH", "pods/unready/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})]),
    ("broken", PODS, [service()], [("PATCH", "pods/ready/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}})]),
    ("mirrored", (), [service(selector=None)], [("POST", "endpoints", {"metadata": {"name": "web", "labels": {"l": "1"}, "annotations": {"a": "b"}}, "subsets": [
        {"addresses": [{"ip": "10.2.0.1", "hostname": "h", "nodeName": "node-a"}, {"ip": "10.2.0.2"}], "notReadyAddresses": [{"ip": "10.2.0.3"}],
         "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}, {"addresses": [{"ip": "fd02::1"}], "ports": [{"name": "a", "port": 1}]}]})]),
    ("unmirrored", (), [service(selector=None)], [("POST", "endpoints", {"metadata": {"name": "web", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
                                                                        "subsets": [{"addresses": [{"ip": "10.2.0.1"}], "ports": [{"port": 1}]}]})]),
    ("remirrored", (), [service(selector=None)], [
        ("POST", "endpoints", {"metadata": {"name": "web"}, "subsets": [{"addresses": [{"ip": "10.2.0.1"}], "ports": [{"port": 1}]}]}),
        ("PATCH", "endpoints/web", {"subsets": [{"addresses": [{"ip": "10.2.0.9"}], "ports": [{"port": 2}]}]})]),
)


def build_cases(server):
    for name, zone in (("node-a", "z1"), ("node-b", "z2")):
        server.ask("POST", NODES, {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}})
        server.ask("PATCH", f"{NODES}/{name}/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "4"},
                                                                 "capacity": {"cpu": "4"}}}, MERGE)
    for name, pods, services, changes in CASES:
        space = f"/api/v1/namespaces/c-{name}"
        steps = [("POST", "/api/v1/namespaces", {"metadata": {"name": f"c-{name}"}})]
        for made, status in pods:
            steps += [("POST", f"{space}/pods", made), ("PATCH", f"{space}/pods/{made['metadata']['name']}/status", status)]
        steps += [("DELETE", f"{space}/pods/{made['metadata']['name']}", None) for made, _ in pods if made["metadata"]["finalizers"]]
        steps += [("POST", f"{space}/services", one) for one in services]
        run(server, steps)
    settle(server)
    for name, _, _, changes in CASES:
        for step in changes:
            run(server, [(step[0], f"/api/v1/namespaces/c-{name}/{step[1]}", step[2])])
            time.sleep(0.3)
    settle(server)


def run(server, steps):
    for method, path, body in steps:
        code, answer, _ = server.ask(method, path, body, MERGE if method == "PATCH" else "application/json")
        if code >= 300:
            raise AssertionError(f"{server.name}: {method} {path}: {code} {answer}")


def settle(server):
    """Until nothing has changed for three seconds."""
    before, since = None, time.monotonic()
    while time.monotonic() - since < 3:
        now = server.ask("GET", "/apis/discovery.k8s.io/v1/endpointslices")[1]["metadata"]["resourceVersion"], made(server)
        if now[1] != before:
            before, since = now[1], time.monotonic()
        time.sleep(0.3)


def made(server):
    """Case -> what its slices and Endpoints say: a line for every port and address, however they are put together."""
    normal, found = Normal(), {}

    def say(one, *words):
        found.setdefault(one["metadata"]["namespace"].removeprefix("c-"), set()).add(json.dumps(normal.of(list(words)), sort_keys=True))

    for one in server.ask("GET", "/apis/discovery.k8s.io/v1/endpointslices")[1]["items"]:
        meta = one["metadata"]
        if not meta["namespace"].startswith("c-"):
            continue
        notes = {name: value for name, value in meta.get("annotations", {}).items() if name != CHANGED}
        owners = [{**owner, "uid": "<given>"} for owner in meta.get("ownerReferences", [])]
        for endpoint in one.get("endpoints") or []:  # a slice without endpoints says nothing
            for port in one.get("ports") or [{}]:
                say(one, one["addressType"], meta.get("labels"), notes, owners, port, endpoint)
    for one in server.ask("GET", "/api/v1/endpoints")[1]["items"]:
        for subset in one.get("subsets") or [] if one["metadata"]["namespace"].startswith("c-") else []:
            for kind in ("addresses", "notReadyAddresses"):
                for address in subset.get(kind) or []:
                    for port in subset.get("ports") or [{}]:
                        say(one, one["metadata"]["name"], kind, port, address)
    return found


# Case -> why it differs.
REVIEWED = {
    "dual": "Endpoints that are computed show the addresses of all families, not of the first alone",
    "dualheadless": "the same",
    "missing": "Endpoints that are computed show addresses without ports as their slice has them",
    "unselected": "nothing mirrors the Endpoints that were computed while the service had a selector",
}


def compare(upstream, ours):
    """Prints where they differ; cases, those that differ, and those of them that are known."""
    for server in (upstream, ours):
        build_cases(server)
    one, other = made(upstream), made(ours)
    differing = known = 0
    for name, *_ in CASES:
        theirs, said = one.get(name, set()), other.get(name, set())
        if theirs == said:
            continue
        if name in REVIEWED:
            known += 1
            continue
        differing += 1
        print(f"\ncontrollers: {name}")
        for sign, lines in (("-", theirs - said), ("+", said - theirs)):
            for line in sorted(lines):
                print(f"    {sign}{line[:300]}")
    return len(CASES), differing, known
