"""Differences that are meant, each with its reason. An answer is (label, status, document, warnings)."""


def message(answer):
    return answer[2].get("message", "") if isinstance(answer[2], dict) else answer[2]


def fields(answer):
    return [cause.get("field") for cause in answer[2].get("details", {}).get("causes", [])] if isinstance(answer[2], dict) else []


def without(document, *names):
    if isinstance(document, dict):
        return {name: without(member, *names) for name, member in document.items() if name not in names}
    return [without(one, *names) for one in document] if isinstance(document, list) else document


def same_refusal(theirs, ours):
    """Status, reason and fields; not the words."""
    return (theirs[1] == ours[1] >= 400 and isinstance(theirs[2], dict) and isinstance(ours[2], dict)
            and theirs[2].get("reason") == ours[2].get("reason") and fields(theirs) == fields(ours))


REASONS = (
    ("what kube-apiserver calls an internal error in bad input is 4xx here",
     lambda theirs, ours: theirs[1] == 500 and 400 <= ours[1] < 500),
    ("a service without a name is told so, not that its address has no owner",
     lambda theirs, ours: "spec.parentRef.name: Required" in str(theirs[2]) and ours[1] in (400, 422)),
    ("the words: places in Go's source and the store's keys are not ours; JSON patches say what was wrong; the value that is shown of a "
     "patch is the patch; media types as api-errors has them",
     lambda theirs, ours: same_refusal(theirs, ours) and any(word in message(theirs) + str(theirs[2]) for word in (
         "StorageError", "due to an error in our request", "cannot restore", "415: Unsupported", "406: Not Acceptable",
         "continue token", "is registered for version", '"field": "patch"', "'field': 'patch'"))),
    ("generation and selfLink of a client are not kept where nothing counts them",
     lambda theirs, ours: theirs[1] == ours[1] and without(theirs[2], "generation", "selfLink") == without(ours[2], "generation", "selfLink")
     and "services" in theirs[0]),
    ("Endpoints are not deprecated here",
     lambda theirs, ours: theirs[1:3] == ours[1:3] and not ours[3] and "v1 Endpoints is deprecated" in str(theirs[3])),
    ("a ServiceCIDR is ready at once, without a controller", lambda theirs, ours: theirs[1] == ours[1] and "/servicecidrs" in theirs[0]
     and without(theirs[2], "finalizers", "status") == without(ours[2], "finalizers", "status")),
    ("of Pods and Nodes only what discovery reads is completed", lambda theirs, ours: theirs[1] == ours[1] in (200, 201)
     and any(kind in theirs[0] for kind in ("/pods", "/nodes")) and not theirs[0].startswith("GET")),
    ("Debian's etcd cannot tell kube-apiserver how far a watch is",
     lambda theirs, ours: "RequestWatchProgress is disabled" in str(theirs[2]) or "ResourceVersionTooLarge" in str(theirs[2])),
    ("a refused change to None is not shown with the address that it would have been given",
     lambda theirs, ours: theirs[1] == ours[1] == 422 and "must be the first and only value" in str(theirs[2])
     and "may not change once set" in str(ours[2])),
    ("an ExternalName service that is given an address is refused; kube-apiserver overlooks clusterIP beside an empty clusterIPs",
     lambda theirs, ours: ours[1] == 422 and "may not be set for ExternalName services" in str(ours[2]) and '"ExternalName"' in theirs[0]
     and '"clusterIPs"' not in theirs[0]),
    ("the rows of IPAddresses have as many cells as there are columns",
     lambda theirs, ours: theirs[1] == ours[1] == 200 and "/ipaddresses/" in theirs[0] and "as=Table" in theirs[0]
     and [row["cells"][:2] for row in theirs[2]["rows"]] == [row["cells"] for row in ours[2]["rows"]]),
    ("paths that are none of ours are plain text", lambda theirs, ours: theirs[1] == ours[1] == 404 and "/version/x" in theirs[0]),
)


def reviewed(theirs, ours):
    """Why the difference is meant; None: it is not known."""
    return next((reason for reason, holds in REASONS if holds(theirs, ours)), None)
