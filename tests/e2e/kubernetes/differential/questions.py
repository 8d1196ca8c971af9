"""What both servers are asked. Every function is asked of each server by itself; `ask` gives back the document."""
import copy, os, random

API = "/api/v1/namespaces/default/"
SERVICES, PODS, EVENTS, ENDPOINTS = (API + plural for plural in ("services", "pods", "events", "endpoints"))
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
GROUP_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
NAMESPACES, NODES = "/api/v1/namespaces", "/api/v1/nodes"
MERGE, STRATEGIC, PATCH = (f"application/{kind}+json" for kind in
                           ("merge-patch", "strategic-merge-patch", "json-patch"))
PORT = [{"port": 80}]


def named(name, spec=None, **metadata):
    return {"metadata": {"name": name, **metadata}, **({"spec": spec} if spec is not None else {})}


def service_specs(ask):
    """Creation: what is completed, and what is refused."""
    odd = {
        "ports": [
            [], None, [{}], [{"port": 0}], [{"port": 70000}], [{"port": -1}], [{"port": 80}, {"port": 81}],
            [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}], [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}],
            [{"port": 80, "name": "UPPER"}], [{"port": 80, "name": "a" * 64}], [{"port": 80, "protocol": "HTTP"}],
            [{"port": 80, "protocol": "UDP"}], [{"port": 80, "protocol": "SCTP"}], [{"port": 80, "targetPort": "web"}],
            [{"port": 80, "targetPort": "Bad_Name"}], [{"port": 80, "targetPort": 0}], [{"port": 80, "targetPort": 70000}],
            [{"port": 80, "targetPort": ""}], [{"port": 80, "targetPort": "1"}], [{"port": 80, "targetPort": "waytoolongaportname"}],
            [{"port": 80, "appProtocol": "kubernetes.io/h2c"}], [{"port": 80, "appProtocol": "x y"}],
            [{"port": 80, "nodePort": 30000}], [{"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP", "name": "b"}],
            [{"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP"}], "x", [{"port": "80"}], [80]],
        "type": ["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Foo"],
        "clusterIP": ["", "None", "none", "10.96.5.5", "10.96.0.0", "10.96.255.255", "10.97.0.1", "1.2.3", "fd00:10:96::77",
                      "010.96.0.5", "10.96.0.1"],
        "clusterIPs": [[], ["None"], ["10.96.6.6"], ["10.96.6.7", "fd00:10:96::8"], ["fd00:10:96::9", "10.96.6.8"],
                       ["10.96.6.9", "10.96.6.10"], ["None", "10.96.6.11"], ["x"], ["10.96.6.12", "fd00:10:96::a", "10.96.6.13"]],
        "ipFamilies": [["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"], ["IPv4", "IPv4"], ["IPv5"], [],
                       ["IPv4", "IPv6", "IPv4"]],
        "ipFamilyPolicy": ["SingleStack", "PreferDualStack", "RequireDualStack", "Foo", ""],
        "externalIPs": [["1.2.3.4"], ["127.0.0.1"], ["0.0.0.0"], ["x"], ["1.2.3.4", "1.2.3.4"], ["fe80::1"], ["224.0.0.1"],
                        ["169.254.1.1"], ["::1"], ["01.2.3.4"], ["FD00::1"], ["::ffff:1.2.3.4"]],
        "sessionAffinity": ["None", "ClientIP", "Foo"],
        "sessionAffinityConfig": [{"clientIP": {"timeoutSeconds": 10}}, {}, {"clientIP": {}}],
        "externalTrafficPolicy": ["Local", "Cluster", "Foo"],
        "internalTrafficPolicy": ["Local", "Cluster", "Foo", ""],
        "trafficDistribution": ["PreferClose", "PreferSameZone", "PreferSameNode", "Foo", ""],
        "healthCheckNodePort": [31111, -1],
        "publishNotReadyAddresses": [True, "yes"],
        "loadBalancerIP": ["1.2.3.4", "x", "01.2.3.4", "FD00::1"],
        "loadBalancerClass": ["a/b", "x"],
        "loadBalancerSourceRanges": [["1.2.3.0/24"], ["1.2.3.4/40"], ["1.2.3.4"], [" 1.2.3.0/24 "]],
        "allocateLoadBalancerNodePorts": [True, False],
        "externalName": ["a.example.com", "a_b", "1.2.3.4", "A.example.com", "a.example.com."],
        "selector": [{"a": "b"}, {"a b": "c"}, {"a": "b c"}, {"": "x"}, {"a": ""}, {"a": "b" * 64}],
        "colour": ["red"],
    }
    count = 0
    for field, values in odd.items():
        for value in values:
            count += 1
            ask("POST", SERVICES, named(f"s{count}", {"ports": PORT, field: value}))
    for spec in (
            {"type": "ExternalName"}, {"type": "ExternalName", "externalName": "a.example.com"},
            {"type": "ExternalName", "externalName": "a.example.com", "clusterIP": "10.96.7.1", "ports": PORT},
            {"type": "ExternalName", "externalName": "a_b"}, {"type": "ExternalName", "externalName": "1.2.3.4"},
            {"type": "ExternalName", "externalName": "a.example.com", "ipFamilyPolicy": "SingleStack"},
            {"type": "ExternalName", "externalName": "a.example.com", "sessionAffinity": "ClientIP"},
            {"type": "ExternalName", "externalName": "a.example.com", "externalTrafficPolicy": "Local"},
            {"type": "ExternalName", "externalName": "a.example.com", "internalTrafficPolicy": "Local"},
            {"type": "ExternalName", "externalName": "a.example.com", "internalTrafficPolicy": "Cluster"},
            {"clusterIP": "None", "ports": PORT, "loadBalancerIP": "1.2.3.4", "externalIPs": ["1.2.3.4"], "sessionAffinity": "ClientIP"},
            {"type": "NodePort", "clusterIP": "None", "ports": PORT},
            {"type": "LoadBalancer", "clusterIP": "None", "ports": PORT},
            {"clusterIP": "None"}, {"clusterIP": "None", "selector": {"a": "b"}},
            {"clusterIP": "None", "ports": PORT, "ipFamilyPolicy": "RequireDualStack"},
            {"clusterIP": "None", "ports": PORT, "ipFamilies": ["IPv6"]},
            {"clusterIP": "10.96.7.2", "clusterIPs": ["10.96.7.3"], "ports": PORT},
            {"clusterIP": "10.96.7.4", "ipFamilies": ["IPv6"], "ports": PORT},
            {"clusterIP": "10.96.7.5", "ipFamilyPolicy": "RequireDualStack", "ports": PORT},
            {"clusterIPs": ["10.96.7.6"], "ports": PORT},
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
            {"type": "NodePort", "ports": [{"port": 81, "nodePort": 30080}]},
            {"type": "NodePort", "ports": [{"port": 82, "nodePort": 29999}]},
            {"type": "NodePort", "ports": [{"port": 83, "nodePort": 32768}]},
            {"type": "NodePort", "ports": [{"port": 53, "name": "t", "nodePort": 30053},
                                           {"port": 53, "name": "u", "protocol": "UDP", "nodePort": 30053}]},
            {"type": "NodePort", "ports": [{"port": 1, "name": "a", "nodePort": 30054},
                                           {"port": 2, "name": "b", "nodePort": 30054}]},
            {"type": "NodePort", "externalTrafficPolicy": "Local", "ports": PORT},
            {"type": "NodePort", "healthCheckNodePort": 31112, "ports": PORT},
            {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": PORT},
            {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 31113, "ports": PORT},
            {"type": "LoadBalancer", "healthCheckNodePort": 31114, "ports": PORT},
            {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerClass": "example.com/x", "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerClass": "Bad Class", "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["1.2.3.0/24", " 4.5.6.0/24"], "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["x"], "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["1.2.3.4/24"], "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["01.2.3.0/24"], "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["FD00:0::/64"], "ports": PORT},
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["::ffff:1.2.3.0/120"], "ports": PORT},
            {"type": "LoadBalancer", "ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b", "protocol": "UDP"}]},
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}, "ports": PORT},
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}, "ports": PORT},
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}, "ports": PORT},
            {"sessionAffinity": "ClientIP", "ports": PORT}):
        count += 1
        ask("POST", SERVICES, named(f"s{count}", spec))


def service_names(ask):
    for metadata in ({"name": "UPPER"}, {"name": "1a"}, {"name": "a.b"}, {"name": "a" * 64}, {"name": ""}, {},
                     {"generateName": "g-"}, {"generateName": "G-"}, {"name": "n1", "namespace": "other"},
                     {"name": "n2", "labels": {"a b": "c"}}, {"name": "n3", "labels": {"a": "b c"}},
                     {"name": "n18", "labels": {"a" * 64: "b"}}, {"name": "n19", "labels": {"a" * 254 + "/b": "c"}}, {"name": "n20", "labels": {"A/b": "c"}},
                     {"name": "n21", "annotations": {"service.kubernetes.io/topology-aware-hints": "auto"}}, {"name": "n4", "annotations": {"A/b": "c"}}, {"name": "n5", "annotations": {"a b": "c"}},
                     {"name": "n6", "finalizers": ["x"]}, {"name": "n7", "finalizers": ["x.io/Y"]},
                     {"name": "n8", "finalizers": ["a b/c"]}, {"name": "n9", "ownerReferences": [{"kind": "Pod"}]},
                     {"name": "n10", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "p", "uid": "u"}]},
                     {"name": "n11", "resourceVersion": "1"}, {"name": "n12", "uid": "mine"}, {"name": "n13", "generation": 7},
                     {"name": "n14", "creationTimestamp": "2020-01-01T00:00:00Z"},
                     {"name": "n15", "deletionTimestamp": "2020-01-01T00:00:00Z"}, {"name": 5}, {"name": "n16", "colour": 1},
                     {"name": "n17", "annotations": {"a": "x" * 262145}}):
        ask("POST", SERVICES, {"metadata": metadata, "spec": {"ports": PORT}})
    ask("POST", SERVICES, named("twice", {"ports": PORT}))
    ask("POST", SERVICES, named("twice", {"ports": PORT}))
    ask("POST", SERVICES, {"kind": "Service", "apiVersion": "v2", "metadata": {"name": "k1"}, "spec": {"ports": PORT}})
    ask("POST", SERVICES, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "k2"}, "spec": {"ports": PORT}})
    ask("POST", SERVICES, {"kind": "Service", "metadata": {"name": "k3"}, "spec": {"ports": PORT}})
    ask("POST", "/api/v1/namespaces/nowhere/services", named("x", {"ports": PORT}))
    ask("POST", "/api/v1/services", named("x", {"ports": PORT}))


def bodies(ask):
    for body in (b"", b"{", b"[]", b"null", b"5", b'"x"', b"{}", b'{"metadata":[]}', b'{"metadata":{"name":"b1"},"spec":[]}',
                 b'{"metadata":{"name":"b2","labels":{"a":1}}}', b'{"spec":{"ports":[{"port":80.5}]},"metadata":{"name":"b3"}}',
                 b'{"spec":{"ports":[{"port":99999999999}]},"metadata":{"name":"b4"}}', b"\xff", b"{}x",
                 b'{"metadata":{"name":"b5"},"metadata":{"name":"b6"},"spec":{"ports":[{"port":1}]}}',
                 b'{"metadata":{"name":"b7"},"spec":{"ports":[{"port":1}],"unknown":1}}'):
        ask("POST", SERVICES, body)
    yaml = b"metadata:\n  name: y1\nspec:\n  ports:\n  - port: 80\n"
    ask("POST", SERVICES, yaml, "application/yaml")
    ask("POST", SERVICES, yaml, "text/plain")
    ask("POST", SERVICES, yaml, "application/json")
    ask("POST", SERVICES, b"k8s", "application/vnd.kubernetes.protobuf")
    odd = {"metadata": {"name": "f1"}, "spec": {"ports": PORT, "colour": "red"}}
    for validation in ("Strict", "Warn", "Ignore", "Foo"):
        ask("POST", f"{SERVICES}?dryRun=All&fieldValidation={validation}", odd)
    ask("POST", f"{SERVICES}?dryRun=Foo", odd)
    ask("POST", f"{SERVICES}?dryRun=All", named("dry", {"ports": PORT}))
    ask("GET", f"{SERVICES}/dry")


def service_updates(ask):
    """Transitions of type, families, addresses."""
    start = {
        "cluster": {"ports": PORT}, "node": {"type": "NodePort", "ports": PORT}, "balancer": {"type": "LoadBalancer", "ports": PORT},
        "external": {"type": "ExternalName", "externalName": "a.example.com"}, "headless": {"clusterIP": "None", "ports": PORT},
        "dual": {"ports": PORT, "ipFamilyPolicy": "RequireDualStack"},
        "sticky": {"ports": PORT, "sessionAffinity": "ClientIP"}}
    changes = (
        {"type": "ClusterIP"}, {"type": "NodePort"}, {"type": "LoadBalancer"},
        {"type": "ExternalName", "externalName": "b.example.com"},
        {"type": "ExternalName", "externalName": "b.example.com", "clusterIP": None, "clusterIPs": None},
        {"clusterIP": "None"}, {"clusterIP": None, "clusterIPs": None}, {"clusterIP": "10.96.9.9"},
        {"clusterIP": "10.96.9.9", "clusterIPs": ["10.96.9.9"]}, {"clusterIPs": ["10.96.9.8"]}, {"clusterIPs": None},
        {"ipFamilyPolicy": "PreferDualStack"}, {"ipFamilyPolicy": "RequireDualStack"}, {"ipFamilyPolicy": "SingleStack"},
        {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}, {"ipFamilies": ["IPv6"]},
        {"ipFamilies": ["IPv6", "IPv4"]}, {"ipFamilies": None}, {"ipFamilyPolicy": None},
        {"ports": [{"port": 81}]}, {"ports": [{"port": 81, "nodePort": 30181}]}, {"ports": []},
        {"ports": [{"port": 80, "name": "a"}, {"port": 443, "name": "b"}]}, {"sessionAffinity": "ClientIP"}, {"sessionAffinity": None},
        {"externalTrafficPolicy": "Local"}, {"internalTrafficPolicy": "Local"}, {"internalTrafficPolicy": None},
        {"loadBalancerClass": "example.com/x"}, {"allocateLoadBalancerNodePorts": False}, {"healthCheckNodePort": 31999},
        {"trafficDistribution": "PreferClose"}, {"externalIPs": ["1.2.3.4"]}, {"selector": {"a": "b"}},
        {"publishNotReadyAddresses": True}, {"externalName": "c.example.com"})
    for name, spec in start.items():
        ask("POST", SERVICES, named(f"u-{name}", spec))
        for change in changes:
            ask("PATCH", f"{SERVICES}/u-{name}?dryRun=All", {"spec": change}, MERGE)
            current = ask("GET", f"{SERVICES}/u-{name}")
            wanted = copy.deepcopy(current)
            for field, value in change.items():
                if value is None:
                    wanted["spec"].pop(field, None)
                else:
                    wanted["spec"][field] = value
            ask("PUT", f"{SERVICES}/u-{name}?dryRun=All", wanted)
    for name, change in (("cluster", {"type": "NodePort"}), ("cluster", {"type": "LoadBalancer"}), ("cluster", {"type": "ClusterIP"}),
                         ("cluster", {"type": "ExternalName", "externalName": "x.example.com"}),
                         ("cluster", {"type": "ClusterIP", "externalName": None}), ("dual", {"ipFamilyPolicy": "SingleStack"}),
                         ("headless", {"ports": None}), ("balancer", {"externalTrafficPolicy": "Local"}),
                         ("balancer", {"externalTrafficPolicy": "Cluster"}), ("balancer", {"loadBalancerClass": "a.b/c"}),
                         ("balancer", {"type": "ClusterIP"})):
        ask("PATCH", f"{SERVICES}/u-{name}", {"spec": change}, MERGE)


def puts(ask):
    ask("POST", SERVICES, named("p1", {"ports": PORT, "selector": {"a": "b"}}))
    current = ask("GET", f"{SERVICES}/p1")
    for change in ({"uid": "other"}, {"resourceVersion": "1"}, {"resourceVersion": "x"}, {"name": "p2"}, {"name": ""},
                   {"namespace": "other"}, {"namespace": ""}, {"creationTimestamp": "2020-01-01T00:00:00Z"},
                   {"deletionTimestamp": "2020-01-01T00:00:00Z"}, {"generation": 9}, {"resourceVersion": ""},
                   {"labels": {"a": "b"}}, {"selfLink": "/x"}, {"finalizers": ["a.b/c"]}):
        wanted = copy.deepcopy(current)
        wanted["metadata"].update(change)
        ask("PUT", f"{SERVICES}/p1?dryRun=All", wanted)
    ask("PUT", f"{SERVICES}/p1", named("p1", {"ports": [{"port": 8080}]}))
    ask("PUT", f"{SERVICES}/p3", named("p3", {"ports": PORT}))
    ask("PUT", f"{SERVICES}/p4?dryRun=All", named("p4", {"ports": PORT}))
    ask("PUT", f"{SERVICES}/p5", named("p5", {"ports": PORT}, uid="x"))
    ask("PUT", f"{SERVICES}/p6", named("p6", {"ports": PORT}, resourceVersion="5"))
    ask("PUT", SERVICES, named("p7", {"ports": PORT}))


def patches(ask):
    ask("POST", SERVICES, named("j1", {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}], "selector": {"a": "b"}},
                                labels={"x": "y"}, finalizers=["a.b/c", "d.e/f"]))
    path = f"{SERVICES}/j1"
    for patch in ([], [{"op": "test", "path": "/spec/type", "value": "x"}], [{"op": "test", "path": "/spec/type", "value": "ClusterIP"}],
                  [{"op": "remove", "path": "/spec/none"}], [{"op": "remove", "path": "/metadata/labels/x"}],
                  [{"op": "add", "path": "/metadata/labels/z", "value": "1"}], [{"op": "add", "path": "/metadata/labels/z", "value": 1}],
                  [{"op": "replace", "path": "/spec/ports/0/port", "value": 90}], [{"op": "replace", "path": "/spec/ports/9/port", "value": 9}],
                  [{"op": "add", "path": "/spec/ports/-", "value": {"name": "c", "port": 82}}], [{"op": "foo", "path": "/a"}],
                  [{"op": "move", "from": "/metadata/labels/x", "path": "/metadata/labels/y"}],
                  [{"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/labels/y"}], [{"op": "remove"}], [5],
                  [{"op": "replace", "path": "/metadata/name", "value": "other"}], [{"op": "replace", "path": "/kind", "value": "Pod"}],
                  [{"op": "replace", "path": "/metadata/uid", "value": "u"}], [{"op": "replace", "path": "", "value": {}}],
                  [{"op": "add", "path": "/spec/colour", "value": "red"}], {"a": 1}, "x"):
        ask("PATCH", f"{path}?dryRun=All", patch, PATCH)
    for patch in ({}, {"metadata": {"labels": None}}, {"metadata": {"labels": {"x": None, "n": "1"}}}, {"spec": {"ports": [{"port": 99}]}},
                  {"spec": None}, {"metadata": {"resourceVersion": "1"}}, {"metadata": {"name": "z"}}, {"metadata": {"namespace": "z"}},
                  {"metadata": {"uid": "z"}}, {"kind": "Pod"}, {"apiVersion": "v2"}, {"spec": {"colour": 1}}, {"spec": {"ports": "x"}},
                  {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}, [], 5, {"spec": {"type": "Foo"}}):
        ask("PATCH", f"{path}?dryRun=All", patch, MERGE)
    for patch in ({}, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}, {"spec": {"ports": [{"port": 99, "name": "n"}]}},
                  {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}, {"spec": {"ports": [{"$patch": "replace"}, {"port": 9, "name": "z"}]}},
                  {"spec": {"ports": [{"name": "a", "targetPort": 1}]}}, {"spec": {"selector": {"a": None, "c": "d"}}},
                  {"spec": {"selector": {"$patch": "replace", "z": "1"}}}, {"spec": {"selector": {"$patch": "delete"}}},
                  {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/c"]}}, {"metadata": {"finalizers": ["g.h/i"]}},
                  {"metadata": {"$setElementOrder/finalizers": ["d.e/f", "a.b/c"]}},
                  {"spec": {"$setElementOrder/ports": [{"port": 81}, {"port": 80}], "ports": [{"port": 81, "appProtocol": "x"}]}},
                  {"spec": {"$setElementOrder/ports": [{"port": 81}, {"port": 80}]}}, {"spec": {"$retainKeys": ["ports"], "ports": []}},
                  {"spec": {"ports": [{"port": 80, "$patch": "foo"}]}}, {"spec": {"ports": [{"port": 80, "$retainKeys": ["port", "name"], "name": "q"}]}},
                  {"$patch": "replace", "metadata": {"name": "j1"}}, {"$patch": "delete"}, {"spec": 5}, [], {"metadata": {"labels": ["x"]}}):
        ask("PATCH", f"{path}?dryRun=All", patch, STRATEGIC)
    ask("PATCH", f"{SERVICES}/none", {}, MERGE)
    ask("PATCH", f"{SERVICES}/none", {}, STRATEGIC)
    ask("PATCH", f"{SERVICES}/none", [], PATCH)
    ask("PATCH", path, b"{", MERGE)
    ask("PATCH", path, b"{}", "application/json")
    ask("PATCH", SERVICES, {}, MERGE)


def status_and_deletion(ask):
    ask("POST", SERVICES, named("d1", {"type": "LoadBalancer", "ports": PORT}))
    path = f"{SERVICES}/d1"
    for ingress in ([{"ip": "1.2.3.4"}], [{"hostname": "a.example.com"}], [{"ip": "x"}], [{"hostname": "1.2.3.4"}], [{}],
                    [{"ip": "1.2.3.4", "ipMode": "Proxy"}], [{"ip": "1.2.3.4", "ipMode": "Foo"}], [{"hostname": "a.b", "ipMode": "VIP"}],
                    [{"ip": "1.2.3.4", "ports": [{"port": 80, "protocol": "TCP"}]}], [{"ip": "1.2.3.4", "ports": [{"port": 0}]}],
                    [{"ip": "1.2.3.4", "ports": [{"port": 80, "protocol": "TCP", "error": "bad error"}]}]):
        ask("PATCH", f"{path}/status?dryRun=All", {"status": {"loadBalancer": {"ingress": ingress}}}, MERGE)
    ask("PATCH", f"{path}/status", {"status": {"conditions": [{"type": "A", "status": "True", "reason": "R", "message": "",
                                                              "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, MERGE)
    ask("PATCH", f"{path}/status?dryRun=All", {"status": {"conditions": [{"type": "B", "status": "x"}]}}, MERGE)
    ask("PATCH", f"{path}/status", {"metadata": {"labels": {"l": "1"}, "finalizers": ["a.b/c"]}, "spec": {"type": "ClusterIP"}}, MERGE)
    ask("PATCH", path, {"status": {"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}]}}}, MERGE)
    ask("GET", f"{path}/status")
    ask("DELETE", path, {"preconditions": {"uid": "x"}})
    ask("DELETE", path, {"preconditions": {"resourceVersion": "1"}})
    ask("DELETE", path, {"propagationPolicy": "Foo"})
    ask("DELETE", path, {"dryRun": ["All"]})
    ask("DELETE", path, {"dryRun": ["x"]})
    ask("DELETE", path, {"kind": "Service", "apiVersion": "v1"})
    ask("DELETE", path, {"gracePeriodSeconds": -1, "dryRun": ["All"]})
    ask("DELETE", path, b"{")
    ask("DELETE", path)
    ask("GET", path)
    ask("DELETE", path)
    ask("PATCH", path, {"metadata": {"finalizers": ["a.b/c", "x.y/z"]}}, MERGE)
    ask("PATCH", path, {"metadata": {"labels": {"still": "here"}}}, MERGE)
    ask("PATCH", path, {"metadata": {"deletionTimestamp": None}}, MERGE)
    ask("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
    ask("GET", path)
    ask("DELETE", path)
    ask("DELETE", SERVICES + "?labelSelector=none%3Dx")
    ask("DELETE", SLICES + "?labelSelector=a%3D%3D%3Db")
    ask("DELETE", "/api/v1/services")


def slices(ask):
    def slice_of(name, kind="IPv4", endpoints=(), ports=(), **metadata):
        return {"metadata": {"name": name, "labels": {"kubernetes.io/service-name": "web"}, **metadata}, "addressType": kind,
                "endpoints": list(endpoints), "ports": list(ports)}
    for number, body in enumerate((
            slice_of(""), slice_of("a"), slice_of("b", "IPv5"), slice_of("c", ""), slice_of("d", "FQDN", [{"addresses": ["a.example.com"]}]),
            slice_of("e", "FQDN", [{"addresses": ["1.2.3.4"]}]), slice_of("f", endpoints=[{"addresses": []}]), slice_of("g", endpoints=[{}]),
            slice_of("h", endpoints=[{"addresses": ["fd00::1"]}]), slice_of("i", "IPv6", [{"addresses": ["fd00::1"]}]),
            slice_of("j", endpoints=[{"addresses": ["127.0.0.1"]}]), slice_of("k", endpoints=[{"addresses": ["0.0.0.0"]}]),
            slice_of("l", endpoints=[{"addresses": ["169.254.0.1"]}]), slice_of("m", endpoints=[{"addresses": ["224.0.0.1"]}]),
            slice_of("n", endpoints=[{"addresses": ["10.0.0.01"]}]), slice_of("o", endpoints=[{"addresses": ["10.0.0.1", "10.0.0.1"]}]),
            slice_of("p", endpoints=[{"addresses": [f"10.0.0.{i}" for i in range(1, 102)]}]),
            slice_of("q", endpoints=[{"addresses": ["10.0.0.1"], "hostname": "Bad_Host"}]),
            slice_of("q2", endpoints=[{"addresses": ["10.0.0.1"], "hostname": "a" * 64}]), slice_of("a" * 254),
            slice_of("q3", "IPv6", [{"addresses": ["FD00::1"]}]), slice_of("q4", ports=[{"port": 80, "name": "a" * 64}]),
            slice_of("q5", ports=[{"port": 80, "appProtocol": "a" * 64}]),
            slice_of("r", endpoints=[{"addresses": ["10.0.0.1"], "hostname": "a.b"}]),
            slice_of("s", endpoints=[{"addresses": ["10.0.0.1"], "nodeName": "Bad Node"}]),
            slice_of("t", endpoints=[{"addresses": ["10.0.0.1"], "zone": "z", "hints": {"forZones": [{"name": "z"}]}}]),
            slice_of("u", endpoints=[{"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "z"}, {"name": "z"}]}}]),
            slice_of("v", endpoints=[{"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "B z"}]}}]),
            slice_of("w", endpoints=[{"addresses": ["10.0.0.1"], "hints": {"forNodes": [{"name": "n"}, {"name": "n"}]}}]),
            slice_of("x", endpoints=[{"addresses": ["10.0.0.1"], "deprecatedTopology": {"a": "b"}}]),
            slice_of("y", endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": True, "serving": False}}]),
            slice_of("z", ports=[{}]), slice_of("aa", ports=[{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]),
            slice_of("bb", ports=[{"port": 80, "name": "Bad_Name"}]), slice_of("cc", ports=[{"port": 0}]), slice_of("dd", ports=[{"port": 70000}]),
            slice_of("ee", ports=[{"port": 80, "protocol": "x"}]), slice_of("ff", ports=[{"port": 80, "appProtocol": "x y"}]),
            slice_of("gg", ports=[{"port": i, "name": f"p{i}"} for i in range(1, 102)]), slice_of("Bad_Name"),
            slice_of("hh", endpoints=[{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p"}}], ports=[{"port": 80}]))):
        ask("POST", SLICES, body)
    current = ask("GET", f"{SLICES}/hh")
    for change in ({"addressType": "IPv6"}, {"endpoints": []}, {"ports": []}, {"endpoints": None}, {"ports": [{"port": 81}]}):
        ask("PUT", f"{SLICES}/hh?dryRun=All", {**current, **change})
        ask("PATCH", f"{SLICES}/hh?dryRun=All", change, MERGE)
    ask("PATCH", f"{SLICES}/hh?dryRun=All", {"endpoints": [{"addresses": ["10.0.0.2"]}]}, STRATEGIC)
    ask("PATCH", f"{SLICES}/hh?dryRun=All", {"ports": [{"port": 81}]}, STRATEGIC)
    ask("PATCH", f"{SLICES}/hh", {"metadata": {"labels": {"kubernetes.io/service-name": "other"}}}, MERGE)
    ask("PATCH", f"{SLICES}/hh", {"ports": [{"port": 82}]}, MERGE)
    ask("PUT", f"{SLICES}/nothere", slice_of("nothere"))
    ask("DELETE", f"{SLICES}/hh")
    ask("DELETE", SLICES)


def endpoints(ask):
    def subset(**members):
        return {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}], **members}
    for number, subsets in enumerate((
            None, [], [{}], [subset()], [subset(addresses=[])], [subset(ports=[])], [subset(addresses=[{"ip": "x"}])],
            [subset(addresses=[{"ip": "127.0.0.1"}])], [subset(addresses=[{"ip": "10.0.0.1", "hostname": "B_"}])],
            [subset(addresses=[{"ip": "10.0.0.1", "nodeName": "n"}])], [subset(addresses=[{}])], [subset(ports=[{"port": 0}])],
            [subset(ports=[{"port": 80}, {"port": 81}])], [subset(ports=[{"port": 80, "name": "B_"}])],
            [subset(ports=[{"port": 80, "protocol": "x"}])], [subset(ports=[{"port": 80, "appProtocol": "x y"}])],
            [subset(notReadyAddresses=[{"ip": "10.0.0.2"}])], [subset(), subset()], [subset(addresses=[{"ip": "fe80::1"}])])):
        ask("POST", ENDPOINTS, {"metadata": {"name": f"e{number}"}, **({"subsets": subsets} if subsets is not None else {})})
    ask("PUT", f"{ENDPOINTS}/e3", {"metadata": {"name": "e3"}, "subsets": [subset(ports=[{"port": 81, "name": "a"}])]})
    ask("PATCH", f"{ENDPOINTS}/e3", {"subsets": None}, MERGE)
    ask("PUT", f"{ENDPOINTS}/new", {"metadata": {"name": "new"}, "subsets": [subset()]})
    ask("DELETE", f"{ENDPOINTS}/new")


def leases(ask):
    for number, spec in enumerate((
            None, {}, {"holderIdentity": "a", "leaseDurationSeconds": 15}, {"holderIdentity": ""}, {"leaseDurationSeconds": 0},
            {"leaseDurationSeconds": -1}, {"leaseTransitions": -1}, {"renewTime": "2026-01-01T00:00:00.123456Z"},
            {"renewTime": "2026-01-01T00:00:00Z"}, {"renewTime": "x"}, {"acquireTime": "2026-01-01T00:00:00.1Z"},
            {"strategy": "OldestEmulationVersion"}, {"preferredHolder": "x"})):
        ask("POST", LEASES, named(f"l{number}", spec))
    ask("PUT", f"{LEASES}/l2", named("l2", {"holderIdentity": "b"}))
    ask("PUT", f"{LEASES}/l99", named("l99", {"holderIdentity": "b"}))
    ask("PATCH", f"{LEASES}/l2", {"spec": {"holderIdentity": "c"}}, MERGE)
    ask("PATCH", f"{LEASES}/l2", {"spec": {"leaseDurationSeconds": 0}}, STRATEGIC)
    ask("DELETE", LEASES)


def events(ask):
    about = {"kind": "Service", "namespace": "default", "name": "web"}
    for number, body in enumerate((
            {}, {"involvedObject": about}, {"involvedObject": about, "reason": "R", "message": "m", "type": "Normal"},
            {"involvedObject": about, "type": "Foo"}, {"involvedObject": {**about, "namespace": "other"}}, {"involvedObject": {"kind": "Node", "name": "n"}},
            {"involvedObject": about, "eventTime": "2026-01-01T00:00:00.000000Z"},
            {"involvedObject": about, "eventTime": "2026-01-01T00:00:00.000000Z", "reportingComponent": "c", "reportingInstance": "i", "action": "A",
             "reason": "R", "type": "Normal"},
            {"involvedObject": about, "eventTime": "2026-01-01T00:00:00.000000Z", "reportingComponent": "c", "reportingInstance": "i" * 129, "action": "A",
             "reason": "R", "type": "Normal"},
            {"involvedObject": about, "count": 3, "firstTimestamp": "2026-01-01T00:00:00Z", "source": {"component": "c"}})):
        ask("POST", EVENTS, {"metadata": {"name": f"v{number}"}, **body})
    ask("PATCH", f"{EVENTS}/v2", {"count": 2}, MERGE)
    ask("PATCH", f"{EVENTS}/v7", {"note": "x"}, MERGE)
    ask("PATCH", f"{EVENTS}/v7", {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}, STRATEGIC)
    ask("PATCH", f"{EVENTS}/v7", {"reason": "Other"}, MERGE)
    for number, body in enumerate((
            {}, {"eventTime": "2026-01-01T00:00:00.000000Z", "regarding": about, "reportingController": "c.io/x", "reportingInstance": "i",
                 "action": "A", "reason": "R", "type": "Normal", "note": "n"},
            {"eventTime": "2026-01-01T00:00:00.000000Z", "regarding": about, "reportingController": "c.io/x", "reportingInstance": "i",
             "action": "A", "reason": "R", "type": "Odd"},
            {"eventTime": "2026-01-01T00:00:00.000000Z", "regarding": about, "reportingController": "c", "reportingInstance": "i",
             "action": "A", "reason": "R" * 129, "type": "Normal"},
            {"eventTime": "2026-01-01T00:00:00.000000Z", "regarding": about, "reportingController": "c", "reportingInstance": "i",
             "action": "A", "reason": "R", "type": "Normal", "note": "n" * 1025},
            {"eventTime": "2026-01-01T00:00:00.000000Z", "regarding": about, "reportingController": "c", "reportingInstance": "i",
             "action": "A", "reason": "R", "type": "Normal", "deprecatedCount": 3})):
        ask("POST", GROUP_EVENTS, {"metadata": {"name": f"w{number}"}, **body})
    ask("GET", f"{EVENTS}/w1")
    ask("GET", f"{GROUP_EVENTS}/v9")
    ask("PATCH", f"{GROUP_EVENTS}/w1", {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}, STRATEGIC)
    ask("PATCH", f"{GROUP_EVENTS}/w1", {"note": "other"}, MERGE)
    ask("GET", f"{EVENTS}?fieldSelector=involvedObject.name%3Dweb,type%3DNormal")
    ask("GET", f"{EVENTS}?fieldSelector=source%3Dc,reason!%3DR")
    ask("GET", f"{EVENTS}?fieldSelector=involvedObject.x%3Dweb")


def addresses_and_ranges(ask):
    parent = {"group": "g.example.com", "resource": "gateways", "namespace": "default", "name": "a"}
    for name, spec in (("10.50.0.1", {"parentRef": parent}), ("10.96.20.1", {"parentRef": parent}), ("fd00::1", {"parentRef": parent}),
                       ("FD00::2", {"parentRef": parent}), ("fd00:0::3", {"parentRef": parent}), ("x", {"parentRef": parent}),
                       ("10.050.0.2", {"parentRef": parent}), ("10.50.0.3", {}), ("10.50.0.4", None), ("10.50.0.5", {"parentRef": {}}),
                       ("10.50.0.6", {"parentRef": {**parent, "group": "B G"}}), ("10.50.0.7", {"parentRef": {**parent, "resource": ""}}),
                       ("10.50.0.8", {"parentRef": {**parent, "name": ""}}), ("10.50.0.9", {"parentRef": {**parent, "namespace": "a/b"}})):
        ask("POST", ADDRESSES, named(name, spec))
    ask("PATCH", f"{ADDRESSES}/10.50.0.1", {"spec": {"parentRef": {"name": "b"}}}, MERGE)
    ask("PATCH", f"{ADDRESSES}/10.50.0.1", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    ask("POST", SERVICES, named("reserved", {"clusterIP": "10.96.20.1", "ports": PORT}))
    ask("DELETE", f"{ADDRESSES}/10.50.0.1")
    for name, spec in (("a", {"cidrs": ["10.60.0.0/24"]}), ("b", {"cidrs": []}), ("c", {}), ("d", None), ("e", {"cidrs": ["10.61.0.1/24"]}),
                       ("f", {"cidrs": ["x"]}), ("g", {"cidrs": ["10.62.0.0/24", "10.63.0.0/24"]}), ("h", {"cidrs": ["10.64.0.0/24", "fd64::/112"]}),
                       ("i", {"cidrs": ["fd65::/112"]}), ("j", {"cidrs": ["fd66::/64"]}), ("k", {"cidrs": ["10.65.0.0/30"]}),
                       ("l", {"cidrs": ["10.66.0.0/32"]}), ("m", {"cidrs": ["10.67.0.0/24", "fd67::/112", "fd68::/112"]}), ("Bad_Name", {"cidrs": ["10.68.0.0/24"]})):
        ask("POST", CIDRS, named(name, spec))
    ask("PATCH", f"{CIDRS}/a", {"spec": {"cidrs": ["10.69.0.0/24"]}}, MERGE)
    ask("PATCH", f"{CIDRS}/a", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    ask("PUT", f"{CIDRS}/new", named("new", {"cidrs": ["10.70.0.0/24"]}))
    ask("GET", f"{CIDRS}?fieldSelector=metadata.name%3Da")


def pods_and_nodes(ask):
    def pod(name, **spec):
        return named(name, {"containers": [{"name": "c", "image": "i"}], **spec}, labels={"a": "b"})
    for name, body in (("nocontainers", named("nocontainers", {})), ("p.dots", pod("p.dots")), ("Bad_", pod("Bad_")),
                       ("host", pod("host", hostname="Bad_")), ("sub", pod("sub", subdomain="a.b"))):
        code = ask("POST", f"{PODS}?dryRun=All&fieldValidation=Ignore", body)
    ask("GET", f"{PODS}?fieldSelector=spec.foo%3Db")
    ask("GET", f"{PODS}?fieldSelector=spec.nodeName%3Dn,status.phase%3DRunning")
    ask("GET", f"{PODS}/none")
    ask("PATCH", f"{PODS}/none/status", {}, MERGE)
    ask("GET", f"{NODES}?fieldSelector=spec.unschedulable%3Dtrue")
    ask("GET", f"{NODES}?fieldSelector=spec.x%3Dtrue")
    ask("POST", NODES, named("Bad_"))
    ask("POST", NODES, named("n", {"podCIDR": "x"}))


def reads(ask):
    ask("POST", SERVICES, named("r1", {"ports": PORT}, labels={"a": "1", "b": "x"}))
    ask("POST", SERVICES, named("r2", {"ports": PORT, "clusterIP": "None"}, labels={"a": "2"}))
    for query in ("labelSelector=a%3D1", "labelSelector=a", "labelSelector=!b,a", "labelSelector=a+in+(1,2)", "labelSelector=a+notin+(1)",
                  "labelSelector=a%3D%3D%3Db", "labelSelector=a+in+()", "labelSelector=a%3E1", "labelSelector=,", "labelSelector=a%3D1,,b",
                  "labelSelector=A+b", "labelSelector=a%3Db+c", "fieldSelector=metadata.name%3Dr1", "fieldSelector=spec.type%3DClusterIP,metadata.name%3Dr2",
                  "fieldSelector=spec.clusterIP%3DNone", "fieldSelector=spec.foo%3Dx", "fieldSelector=x", "fieldSelector=metadata.name%3D%3Dr1",
                  "fieldSelector=metadata.namespace%3Dother", "limit=x", "limit=-1&labelSelector=a%3D1", "continue=x", "resourceVersion=x", "resourceVersion=-1",
                  "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=1&resourceVersionMatch=Foo",
                  "sendInitialEvents=true", "timeoutSeconds=x", "watch=1&resourceVersion=x", "watch=1&resourceVersionMatch=Exact&timeoutSeconds=1",
                  "watch=1&sendInitialEvents=true&timeoutSeconds=1", "watch=1&continue=x&timeoutSeconds=1", "watch=1&fieldSelector=x&timeoutSeconds=1",
                  "watch=1&labelSelector=a%3D%3D%3Db&timeoutSeconds=1"):
        ask("GET", f"{SERVICES}?{query}" if "Selector" in query or "=x" in query or "Match" in query or "send" in query or "-1" in query
            else f"{SERVICES}?{query}&labelSelector=a%3D1")
    for path in ("/api/v1/namespaces/nowhere/services", "/api/v1/namespaces/nowhere/services/x", "/api/v1/configmapss", "/apis/apps2/v1/x",
                 "/api/v1/namespaces/default/services/none", "/apis/discovery.k8s.io/v2/endpointslices", "/api/v1/services/x", "/foo",
                 "/apis/discovery.k8s.io/v1/foo", "/api/v2", "/apis/foo", "/version/x", f"{SERVICES}/r1/foo", f"{SERVICES}/r1/status"):
        ask("GET", path)
    for accept in ("text/html", "application/*", "application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Foo;v=v1;g=meta.k8s.io",
                   "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
                   "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io"):
        ask("GET", f"{SERVICES}/r1", accept=accept)
        ask("GET", f"{SERVICES}?labelSelector=a%3D1", accept=accept)
    ask("DELETE", f"{SERVICES}/none")
    ask("PUT", f"{SERVICES}/r1", b"{")


def namespaces(ask):
    for name in ("Bad_", "a.b", "a" * 64, "ok"):
        ask("POST", NAMESPACES, named(name))
    ask("POST", NAMESPACES, named("ok"))
    ask("PUT", f"{NAMESPACES}/nothere", named("nothere"))
    ask("PATCH", f"{NAMESPACES}/ok", {"metadata": {"labels": {"kubernetes.io/metadata.name": "x", "a": "b"}}}, MERGE)
    ask("PATCH", f"{NAMESPACES}/ok", {"spec": {"finalizers": []}}, MERGE)
    ask("PATCH", f"{NAMESPACES}/ok/status", {"status": {"phase": "Terminating"}}, MERGE)
    ask("DELETE", f"{NAMESPACES}/default")
    ask("DELETE", f"{NAMESPACES}/kube-system")
    ask("DELETE", NAMESPACES)


def families(ask):
    """ipFamilyPolicy, ipFamilies and addresses against each other: creations, then updates of what is there."""
    policies = (None, "SingleStack", "PreferDualStack", "RequireDualStack")
    lists = (None, ["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"])
    asked = (None, ["10.96.31.1"], ["fd00:10:96::31"], ["10.96.31.1", "fd00:10:96::31"], ["fd00:10:96::31", "10.96.31.1"], ["None"], [""])
    spec_of = lambda policy, chosen, ips: {name: value for name, value in (
        ("ipFamilyPolicy", policy), ("ipFamilies", chosen), ("clusterIPs", ips), ("clusterIP", ips and ips[0])) if value is not None}
    for policy in policies:
        for chosen in lists:
            for ips in asked:
                for kind in ("ClusterIP", "ExternalName") if ips is None else ("ClusterIP",):
                    spec = {"ports": PORT, "type": kind, **({"externalName": "a.example.com"} if kind == "ExternalName" else {})}
                    ask("POST", f"{SERVICES}?dryRun=All", named("tried", {**spec, **spec_of(policy, chosen, ips)}))
    for name, start in (("four", {}), ("six", {"ipFamilies": ["IPv6"]}), ("both", {"ipFamilyPolicy": "RequireDualStack"}),
                        ("preferred", {"ipFamilyPolicy": "PreferDualStack"}), ("reversed", {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]}),
                        ("none", {"clusterIP": "None"}), ("noboth", {"clusterIP": "None", "ipFamilyPolicy": "RequireDualStack"}),
                        ("bare", {"clusterIP": "None", "ports": []}), ("away", {"type": "ExternalName", "externalName": "a.example.com"})):
        is_now = ask("POST", SERVICES, named(f"f-{name}", {"ports": PORT, **start}))["spec"]
        own = is_now.get("clusterIPs")
        for policy in policies:
            for chosen in lists:
                for ips in (None, own, own and own[:1], own and own[::-1], ["10.96.31.1"], ["None"]):
                    for more in ({}, {"type": "ExternalName", "externalName": "b.example.com"}, {"type": "NodePort"}):
                        if more and (ips not in (None, own) or policy == "SingleStack"):
                            continue
                        wanted = {"ports": is_now.get("ports"), "selector": {"a": "b"}, **spec_of(policy, chosen, ips), **more}
                        if name == "away" and not more:
                            wanted = {"type": "ClusterIP", **wanted}
                        ask("PUT", f"{SERVICES}/f-{name}?dryRun=All", named(f"f-{name}", wanted))


def node_ports(ask):
    """Ports of nodes and of health checks, kept, moved, given back."""
    def put(name, ports, **spec):
        return ask("PUT", f"{SERVICES}/{name}", named(name, {"type": "NodePort", "ports": ports, **spec}))
    a, b = {"name": "a", "port": 80, "nodePort": 30501}, {"name": "b", "port": 81, "nodePort": 30502}
    ask("POST", SERVICES, named("np", {"type": "NodePort", "ports": [a, b]}))
    ask("POST", SERVICES, named("np2", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30503}]}))
    put("np", [{**a, "nodePort": 30502}, {**b, "nodePort": 30501}])  # change places
    put("np", [{**a, "nodePort": 30503}, b])  # somebody else's
    put("np", [{"name": "a", "port": 80}, {"name": "b", "port": 81}])  # kept
    put("np", [{"name": "c", "port": 80}, {"name": "b", "port": 81}])
    put("np", [{"name": "b", "port": 81}])
    put("np", [{"name": "b", "port": 81, "nodePort": 30501}])
    put("np", [{"name": "b", "port": 81, "nodePort": 30501}, {"name": "u", "port": 81, "protocol": "UDP", "nodePort": 30501}])
    put("np", [{"name": "b", "port": 81, "nodePort": 30501}, {"name": "t", "port": 82, "nodePort": 30501}])
    put("np", [{"name": "b", "port": 81, "nodePort": 29999}])
    put("np", [{"name": "b", "port": 81, "nodePort": -1}])
    put("np", [{"name": "b", "port": 81, "nodePort": 30504}], type="ClusterIP")
    put("np", [{"name": "b", "port": 81}], type="ClusterIP")
    put("np", [{"name": "b", "port": 81, "nodePort": 30505}], type="ClusterIP")
    ask("POST", SERVICES, named("np3", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30501}]}))
    put("np", [{"name": "b", "port": 81, "nodePort": 30501}])
    ask("PATCH", f"{SERVICES}/np3", {"spec": {"type": "ClusterIP"}}, MERGE)
    put("np", [{"name": "b", "port": 81, "nodePort": 30501}])
    ask("DELETE", f"{SERVICES}/np")
    ask("POST", SERVICES, named("np4", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30501}]}))
    for name, start in (("was-node", {"type": "NodePort"}), ("was-lb", {"type": "LoadBalancer"}),
                        ("was-none", {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}), ("was-cluster", {})):
        ask("POST", SERVICES, named(name, {**start, "ports": PORT}))
        for allocates in (None, True, False):
            for kind in ("NodePort", "LoadBalancer"):
                more = {} if allocates is None or kind == "NodePort" else {"allocateLoadBalancerNodePorts": allocates}
                ask("PUT", f"{SERVICES}/{name}?dryRun=All", named(name, {"type": kind, "ports": PORT, **more}))
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    ask("POST", SERVICES, named("lb", {**local, "ports": PORT, "healthCheckNodePort": 30601}))
    ask("POST", SERVICES, named("lb2", {**local, "ports": PORT, "healthCheckNodePort": 30601}))
    ask("POST", SERVICES, named("lb3", {**local, "ports": [{"port": 80, "nodePort": 30601}]}))
    ask("POST", SERVICES, named("lb4", {**local, "ports": [{"port": 80, "nodePort": 30602}], "healthCheckNodePort": 30602}))
    for change in ({"healthCheckNodePort": 30603}, {"healthCheckNodePort": 0}, {"externalTrafficPolicy": "Cluster"}, {"externalTrafficPolicy": "Local"},
                   {"externalTrafficPolicy": "Local", "healthCheckNodePort": 30604}, {"type": "NodePort"}, {"type": "LoadBalancer"},
                   {"allocateLoadBalancerNodePorts": False}, {"ports": [{"port": 80, "nodePort": 0}]}, {"ports": [{"port": 80, "nodePort": 30605}]},
                   {"allocateLoadBalancerNodePorts": True}, {"loadBalancerClass": "a.b/c"}, {"type": "ExternalName", "externalName": "a.example.com"},
                   {"type": "LoadBalancer", "externalName": None}, {"loadBalancerSourceRanges": ["1.2.3.0/24"]}, {"type": "ClusterIP"},
                   {"type": "ClusterIP", "loadBalancerSourceRanges": None}, {"externalIPs": ["1.2.3.4"]}, {"externalTrafficPolicy": "Local"}, {"externalIPs": None}):
        ask("PATCH", f"{SERVICES}/lb", {"spec": change}, MERGE)


def random_services(ask):
    """Services of parts that are chosen at random, created and replaced one by the other. SEED and ROUNDS say which and how many."""
    dice = random.Random(int(os.environ.get("SEED", "1")))
    # Addresses and ports of the static bands, which are not given unless all others are.
    parts = {
        "type": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], "clusterIP": ["None", "10.96.0.7", "fd00:10:96::7", ""],
        "clusterIPs": [["10.96.0.7"], ["10.96.0.7", "fd00:10:96::7"], ["fd00:10:96::7", "10.96.0.7"], ["None"], []],
        "ipFamilies": [["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]], "ipFamilyPolicy": ["SingleStack", "PreferDualStack", "RequireDualStack"],
        "externalName": ["a.example.com", "b.example.com"], "externalIPs": [["1.2.3.4"], ["fd01::1", "1.2.3.4"]],
        "externalTrafficPolicy": ["Local", "Cluster"], "internalTrafficPolicy": ["Local", "Cluster"], "sessionAffinity": ["ClientIP", "None"],
        "sessionAffinityConfig": [{"clientIP": {"timeoutSeconds": 5}}], "healthCheckNodePort": [30011, 30012], "publishNotReadyAddresses": [True],
        "loadBalancerIP": ["1.2.3.4"], "loadBalancerClass": ["a.b/c", "a.b/d"], "loadBalancerSourceRanges": [["1.2.3.0/24"]],
        "allocateLoadBalancerNodePorts": [True, False], "trafficDistribution": ["PreferSameZone", "PreferSameNode"], "selector": [{"a": "b"}, {}],
    }
    ports = [[{"port": 80}], [{"port": 80, "nodePort": 30001}], [{"name": "a", "port": 80, "nodePort": 30002}, {"name": "b", "port": 81}],
             [{"name": "a", "port": 81}, {"name": "c", "port": 80, "protocol": "UDP", "nodePort": 30002}], [{"port": 80, "targetPort": "x"}], []]

    def spec():
        chosen = {name: dice.choice(values) for name, values in parts.items() if dice.random() < 0.18}
        if dice.random() < 0.95:
            chosen["ports"] = dice.choice(ports)
        if chosen.get("type") == "ExternalName" and dice.random() < 0.8:
            chosen["externalName"] = "a.example.com"
        return chosen

    for number in range(int(os.environ.get("ROUNDS", "400"))):
        name = f"random{number}"
        if ask("POST", SERVICES, named(name, spec())).get("kind") != "Service":
            continue
        for _ in range(3):
            wanted = spec()
            if dice.random() < 0.5:
                ask("PUT", f"{SERVICES}/{name}", named(name, wanted))
            else:
                ask("PATCH", f"{SERVICES}/{name}", {"spec": {**wanted, **{part: None for part in parts if dice.random() < 0.1}}}, MERGE)
        ask("DELETE", f"{SERVICES}/{name}")


def tables(ask):
    """What kubectl prints."""
    space = "/api/v1/namespaces/shown"
    ask("POST", NAMESPACES, named("shown"))
    for name, spec in (("cluster", {"ports": [{"port": 80, "name": "a"}, {"port": 53, "protocol": "UDP", "name": "b"}], "selector": {"a": "b", "c": "d"}}),
                       ("node", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30321}], "externalIPs": ["1.2.3.4", "5.6.7.8"]}),
                       ("balancer", {"type": "LoadBalancer", "ports": PORT, "allocateLoadBalancerNodePorts": False}),
                       ("external", {"type": "ExternalName", "externalName": "a.example.com"}), ("headless", {"clusterIP": "None"})):
        ask("POST", f"{space}/services", named(name, spec))
    ask("PATCH", f"{space}/services/balancer/status", {"status": {"loadBalancer": {"ingress": [
        {"ip": "192.0.2.1"}, {"hostname": "lb.example.com"}]}}}, MERGE)
    endpoints = [{"addresses": [f"10.1.0.{i}"], "conditions": {"ready": i != 2}} for i in range(1, 6)]
    for name, ends, ports in (("some", endpoints, [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]), ("none", [], []), ("any", endpoints[:1], [{"name": "x"}])):
        ask("POST", "/apis/discovery.k8s.io/v1/namespaces/shown/endpointslices",
            {**named(name), "addressType": "IPv4", "endpoints": ends, "ports": ports})
    ask("POST", f"{space}/endpoints", {**named("some"), "subsets": [
        {"addresses": [{"ip": f"10.1.0.{i}"} for i in range(1, 4)], "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]},
        {"notReadyAddresses": [{"ip": "10.1.0.9"}], "ports": [{"port": 80}]}]})
    ask("POST", f"{space}/endpoints", named("none"))
    ask("POST", "/apis/coordination.k8s.io/v1/namespaces/shown/leases", named("held", {"holderIdentity": "me"}))
    ask("POST", "/apis/coordination.k8s.io/v1/namespaces/shown/leases", named("free", {}))
    about = {"kind": "Service", "namespace": "shown", "name": "cluster", "fieldPath": "spec.ports"}
    ask("POST", f"{space}/events", {**named("old"), "involvedObject": about, "reason": "R", "message": "m\nn\n", "type": "Normal", "count": 3,
                                    "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-02T00:00:00Z",
                                    "source": {"component": "c", "host": "h"}})
    ask("POST", f"{space}/events", {**named("new"), "involvedObject": about, "reason": "R", "type": "Warning", "action": "A",
                                    "eventTime": "2026-01-01T00:00:00.000000Z", "reportingComponent": "c", "reportingInstance": "i"})
    ask("POST", f"{space}/pods", {**named("p"), "spec": {"nodeName": "worker", "containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}],
                                                         "readinessGates": [{"conditionType": "x.io/y"}]}})
    ask("PATCH", f"{space}/pods/p/status", {"status": {"phase": "Running", "podIP": "10.1.0.1", "podIPs": [{"ip": "10.1.0.1"}], "containerStatuses": [
        {"name": "c", "ready": True, "restartCount": 2, "state": {"running": {}}, "image": "i", "imageID": "x",
         "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:00Z"}}},
        {"name": "d", "ready": False, "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}, "image": "i", "imageID": ""}]}}, MERGE)
    ask("POST", NODES, {**named("worker", labels={"node-role.kubernetes.io/edge": "", "kubernetes.io/role": "x"}), "spec": {"unschedulable": True}})
    ask("PATCH", f"{NODES}/worker/status", {"status": {
        "conditions": [{"type": "Ready", "status": "True"}], "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": "1.2.3.4"}],
        "nodeInfo": {"kubeletVersion": "v1.35.0", "osImage": "Debian", "kernelVersion": "6.1", "containerRuntimeVersion": "containerd://2"}}}, MERGE)
    ask("POST", ADDRESSES, named("10.51.0.1", {"parentRef": {"group": "g.example.com", "resource": "gateways", "namespace": "n", "name": "a"}}))
    ask("POST", ADDRESSES, named("10.51.0.2", {"parentRef": {"resource": "nodes", "name": "a"}}))
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    for path in (f"{space}/services", f"{space}/services/cluster", f"{space}/endpoints", f"{space}/events", f"{space}/pods", f"{space}/pods/p", NODES,
                 f"{NODES}/worker", f"{NAMESPACES}/shown", "/apis/discovery.k8s.io/v1/namespaces/shown/endpointslices",
                 "/apis/coordination.k8s.io/v1/namespaces/shown/leases", "/apis/events.k8s.io/v1/namespaces/shown/events",
                 f"{ADDRESSES}/10.51.0.1", f"{ADDRESSES}/10.51.0.2", f"{CIDRS}/kubernetes"):
        for include in ("", "?includeObject=None", "?includeObject=Metadata", "?includeObject=Foo"):
            ask("GET", path + include, accept=table)
    ask("GET", f"{space}/services?includeObject=Object", accept=table)
    ask("GET", f"{space}/services?limit=2", accept=table)


def watches(ask):
    """What happened since a revision, as different watchers are told it."""
    space = "/api/v1/namespaces/watched"
    ask("POST", NAMESPACES, named("watched"))
    services, slices_ = f"{space}/services", "/apis/discovery.k8s.io/v1/namespaces/watched/endpointslices"
    ask("POST", services, named("there", {"ports": PORT}, labels={"tier": "a"}))
    start = ask("GET", services)["metadata"]["resourceVersion"]
    ask("POST", services, named("web", {"ports": PORT, "clusterIP": "None"}, labels={"tier": "b"}))
    for tier in ("a", "b", "a"):
        ask("PATCH", f"{services}/web", {"metadata": {"labels": {"tier": tier}}}, MERGE)
    ask("PATCH", f"{services}/web", {"metadata": {"labels": {"tier": "a"}}}, MERGE)  # which is no change
    ask("PATCH", f"{services}/there", {"spec": {"type": "NodePort"}}, MERGE)
    ask("PATCH", f"{services}/there", {"metadata": {"finalizers": ["a.b/c"]}}, MERGE)
    ask("DELETE", f"{services}/there")
    ask("PATCH", f"{services}/there", {"metadata": {"finalizers": None}}, MERGE)
    ask("POST", slices_, {**named("s"), "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]})
    ask("DELETE", f"{slices_}/s")
    ask("DELETE", f"{services}/web")
    partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    for accept in ("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", partial):
        for query in ("", "&labelSelector=tier%3Da", "&labelSelector=tier!%3Da", "&labelSelector=!tier", "&fieldSelector=metadata.name%3Dweb",
                      "&fieldSelector=spec.type%3DNodePort", "&fieldSelector=spec.clusterIP!%3DNone", "&allowWatchBookmarks=false"):
            ask("GET", f"{services}?watch=1&timeoutSeconds=1&resourceVersion={start}{query}", accept=accept)
        ask("GET", f"{slices_}?watch=1&timeoutSeconds=1&resourceVersion={start}", accept=accept)
        ask("GET", f"{services}?watch=1&timeoutSeconds=1&resourceVersion=0", accept=accept)
        ask("GET", f"{services}?watch=1&timeoutSeconds=1", accept=accept)
        ask("GET", f"{services}?watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
            accept=accept)
    ask("GET", f"{services}?watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true", accept=partial)
    ask("GET", f"{services}?watch=1&timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion={start}")
    ask("GET", f"{services}?watch=1&timeoutSeconds=1&resourceVersion={start}&limit=1")
    ask("GET", f"{services}/web?watch=1&timeoutSeconds=1")


def pages(ask):
    """Lists in parts, and at revisions."""
    space = "/api/v1/namespaces/paged"
    services = f"{space}/services"
    ask("POST", NAMESPACES, named("paged"))
    for number in range(7):
        ask("POST", services, named(f"s{number}", {"clusterIP": "None"}, labels={"odd": str(number % 2)}))

    def walk(query, accept="application/json"):
        page = ask("GET", f"{services}?{query}", accept=accept)
        while token := page.get("metadata", {}).get("continue"):
            page = ask("GET", f"{services}?{query}&continue={token}", accept=accept)
        return page

    for query in ("limit=3", "limit=7", "limit=8", "limit=1", "limit=2&labelSelector=odd%3D1", "limit=2&fieldSelector=metadata.name%3Ds6"):
        walk(query)
    walk("limit=3", "application/json;as=Table;v=v1;g=meta.k8s.io")
    walk("limit=3", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
    first = ask("GET", f"{services}?limit=3")
    then = first["metadata"]["resourceVersion"]
    ask("DELETE", f"{services}/s1")
    ask("POST", services, named("s00", {"clusterIP": "None"}))
    ask("DELETE", f"{services}/s5")
    ask("GET", f"{services}?limit=10&continue={first['metadata']['continue']}")
    ask("GET", f"{services}?limit=10&continue={first['metadata']['continue']}&resourceVersion={then}")
    ask("GET", f"{services}?limit=10&continue={first['metadata']['continue']}&resourceVersionMatch=Exact")
    for query in (f"resourceVersion={then}", f"resourceVersion={then}&resourceVersionMatch=Exact", f"resourceVersion={then}&limit=2",
                  f"resourceVersion={then}&resourceVersionMatch=NotOlderThan&limit=2", "resourceVersion=0&limit=2", "resourceVersion=0",
                  f"resourceVersion={then}&resourceVersionMatch=Exact&labelSelector=odd%3D1", "resourceVersionMatch=NotOlderThan"):
        ask("GET", f"{services}?{query}")
    for path in (f"{services}/s0", f"{services}/s1"):
        for query in ("", f"?resourceVersion={then}", "?resourceVersion=0", "?resourceVersion=x"):
            ask("GET", path + query)


QUESTIONS = (service_specs, service_names, bodies, service_updates, node_ports, families, random_services, puts, patches, status_and_deletion, slices, endpoints, leases, events,
             pods_and_nodes, reads, namespaces, tables, watches, pages, addresses_and_ranges)
