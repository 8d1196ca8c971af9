// Kubernetes' own client library against signpostd: what programs written for kube-apiserver do, done to our registry.
// The server's address is in SIGNPOST_SERVER; `run` starts one.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

const patience = 60 * time.Second

func config(contentType string) *rest.Config {
	return &rest.Config{Host: os.Getenv("SIGNPOST_SERVER"), QPS: 1000, Burst: 1000,
		ContentConfig: rest.ContentConfig{ContentType: contentType}}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		t.Fatalf("never: %s", what)
	}
}

// newNamespace gives each test a place of its own, which goes with the test.
func newNamespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	made := must(client.CoreV1().Namespaces().Create(t.Context(),
		&core.Namespace{ObjectMeta: meta.ObjectMeta{GenerateName: "e2e-"}}, meta.CreateOptions{}))(t)
	t.Cleanup(func() {
		if err := client.CoreV1().Namespaces().Delete(context.Background(), made.Name, meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return made.Name
}

func service(name string) *core.Service {
	return &core.Service{ObjectMeta: meta.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec: core.ServiceSpec{Ports: []core.ServicePort{{Name: "http", Port: 80}}}}
}

func slice(name, of string, addresses ...string) *discovery.EndpointSlice {
	made := &discovery.EndpointSlice{ObjectMeta: meta.ObjectMeta{Name: name,
		Labels: map[string]string{discovery.LabelServiceName: of}}, AddressType: discovery.AddressTypeIPv4}
	for _, address := range addresses {
		made.Endpoints = append(made.Endpoints, discovery.Endpoint{Addresses: []string{address}})
	}
	return made
}

// forEachEncoding runs a test with clients that send JSON, protobuf, and what the default is (protobuf), and with one
// that reads nothing but protobuf.
func forEachEncoding(t *testing.T, test func(*testing.T, kubernetes.Interface)) {
	for _, contentType := range []string{"application/json", protobuf, ""} {
		t.Run("sends "+contentType, func(t *testing.T) {
			test(t, must(kubernetes.NewForConfig(config(contentType)))(t))
		})
	}
	t.Run("reads protobuf", func(t *testing.T) { test(t, protobufClient(t)) })
}

const protobuf = "application/vnd.kubernetes.protobuf"

// protobufClient accepts no other answer, and the test fails if one comes.
func protobufClient(t *testing.T) kubernetes.Interface {
	only := config(protobuf)
	only.AcceptContentTypes = protobuf
	only.Wrap(func(next http.RoundTripper) http.RoundTripper { return protobufOnly{t, next} })
	return must(kubernetes.NewForConfig(only))(t)
}

type protobufOnly struct {
	t    *testing.T
	next http.RoundTripper
}

func (p protobufOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.next.RoundTrip(request)
	if err == nil && !strings.HasPrefix(response.Header.Get("Content-Type"), protobuf) {
		p.t.Errorf("%s %s: the answer is %s", request.Method, request.URL, response.Header.Get("Content-Type"))
	}
	return response, err
}

func TestServicesLive(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		services := client.CoreV1().Services(space)
		made := must(services.Create(t.Context(), service("web"), meta.CreateOptions{}))(t)
		if made.Spec.ClusterIP == "" || made.UID == "" || made.Spec.Ports[0].TargetPort.IntValue() != 80 {
			t.Fatalf("not completed: %+v", made.Spec)
		}
		_, err := services.Create(t.Context(), service("web"), meta.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			t.Errorf("created twice: %v", err)
		}
		made.Spec.Ports[0].Port = 81
		changed := must(services.Update(t.Context(), made, meta.UpdateOptions{}))(t)
		if _, err := services.Update(t.Context(), made, meta.UpdateOptions{}); !apierrors.IsConflict(err) {
			t.Errorf("an old revision replaced a new one: %v", err)
		}
		if changed.Spec.ClusterIP != made.Spec.ClusterIP {
			t.Error("the address changed")
		}
		other := service("other")
		other.Spec.ClusterIP = made.Spec.ClusterIP
		if _, err := services.Create(t.Context(), other, meta.CreateOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("an address was given twice: %v", err)
		}
		dry := must(services.Create(t.Context(), service("dry"), meta.CreateOptions{DryRun: []string{meta.DryRunAll}}))(t)
		if _, err := services.Get(t.Context(), dry.Name, meta.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("a dry run left something: %v", err)
		}
		for kind, patch := range map[types.PatchType]string{
			types.MergePatchType:          `{"metadata":{"labels":{"merge":"yes"}}}`,
			types.StrategicMergePatchType: `{"spec":{"ports":[{"port":82,"name":"more"}]}}`,
			types.JSONPatchType:           `[{"op":"add","path":"/metadata/annotations","value":{"json":"yes"}}]`,
		} {
			if _, err := services.Patch(t.Context(), "web", kind, []byte(patch), meta.PatchOptions{}); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		now := must(services.Get(t.Context(), "web", meta.GetOptions{}))(t)
		if len(now.Spec.Ports) != 2 || now.Labels["merge"] != "yes" || now.Annotations["json"] != "yes" {
			t.Errorf("patched to %+v", now)
		}
		now.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: "192.0.2.1"}}
		if _, err := services.UpdateStatus(t.Context(), now, meta.UpdateOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("an ingress for a ClusterIP: %v", err)
		}
		uid := types.UID("another")
		err = services.Delete(t.Context(), "web", meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &uid}})
		if !apierrors.IsConflict(err) {
			t.Errorf("deleted against a precondition: %v", err)
		}
		if err := services.Delete(t.Context(), "web", meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if left := must(services.List(t.Context(), meta.ListOptions{}))(t); len(left.Items) != 0 {
			t.Errorf("%d left", len(left.Items))
		}
	})
}

func TestConflictsAreRetried(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	services := client.CoreV1().Services(newNamespace(t, client))
	must(services.Create(t.Context(), service("counter"), meta.CreateOptions{}))(t)
	const writers, times = 8, 10
	failed := make(chan error, writers)
	for range writers {
		go func() {
			for range times {
				err := retry.RetryOnConflict(wait.Backoff{Steps: 1000, Duration: time.Millisecond}, func() error {
					now, err := services.Get(context.Background(), "counter", meta.GetOptions{})
					if err != nil {
						return err
					}
					count := 0
					fmt.Sscan(now.Annotations["count"], &count)
					now.Annotations = map[string]string{"count": fmt.Sprint(count + 1)}
					_, err = services.Update(context.Background(), now, meta.UpdateOptions{})
					return err
				})
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if now := must(services.Get(t.Context(), "counter", meta.GetOptions{}))(t); now.Annotations["count"] != "80" {
		t.Errorf("counted %s of 80", now.Annotations["count"])
	}
}

func TestPagesAndSelectors(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	slices := client.DiscoveryV1().EndpointSlices(space)
	for i := range 25 {
		must(slices.Create(t.Context(), slice(fmt.Sprintf("s%02d", i), fmt.Sprintf("of%d", i%2), "10.1.0.1"),
			meta.CreateOptions{}))(t)
	}
	pages := 0
	list := pager.New(func(ctx context.Context, options meta.ListOptions) (runtime.Object, error) {
		pages++
		return slices.List(ctx, options)
	})
	list.PageSize = 5
	seen := 0
	err := list.EachListItem(t.Context(), meta.ListOptions{LabelSelector: discovery.LabelServiceName + "=of1"},
		func(runtime.Object) error { seen++; return nil })
	if err != nil || seen != 12 || pages < 3 {
		t.Errorf("%d slices on %d pages: %v", seen, pages, err)
	}
	one := must(slices.List(t.Context(), meta.ListOptions{FieldSelector: "metadata.name=s07"}))(t)
	if len(one.Items) != 1 {
		t.Errorf("%d of one name", len(one.Items))
	}
	if err := slices.DeleteCollection(t.Context(), meta.DeleteOptions{},
		meta.ListOptions{LabelSelector: discovery.LabelServiceName + "=of1"}); err != nil {
		t.Error(err)
	}
	if left := must(slices.List(t.Context(), meta.ListOptions{}))(t); len(left.Items) != 13 {
		t.Errorf("%d slices left", len(left.Items))
	}
	services := must(client.CoreV1().Services("").List(t.Context(), meta.ListOptions{FieldSelector: "spec.clusterIP!=None"}))(t)
	if len(services.Items) == 0 {
		t.Error("default/kubernetes was not found")
	}
}

func TestInformers(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		must(client.CoreV1().Services(space).Create(t.Context(), service("first"), meta.CreateOptions{}))(t)
		factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(space))
		services, slices := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
		var added, updated, deleted atomic.Int32
		services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { added.Add(1) },
			UpdateFunc: func(any, any) { updated.Add(1) },
			DeleteFunc: func(any) { deleted.Add(1) },
		})
		slices.Informer()
		factory.Core().V1().Events().Informer()
		factory.Coordination().V1().Leases().Informer()
		factory.Core().V1().Endpoints().Informer()
		factory.Core().V1().Pods().Informer()
		factory.Core().V1().Nodes().Informer()
		factory.Start(t.Context().Done())
		for kind, synced := range factory.WaitForCacheSync(t.Context().Done()) {
			if !synced {
				t.Fatalf("%v never synced", kind)
			}
		}
		if _, err := services.Lister().Services(space).Get("first"); err != nil {
			t.Error(err)
		}
		second := must(client.CoreV1().Services(space).Create(t.Context(), service("second"), meta.CreateOptions{}))(t)
		second.Labels["app"] = "changed"
		must(client.CoreV1().Services(space).Update(t.Context(), second, meta.UpdateOptions{}))(t)
		must(client.DiscoveryV1().EndpointSlices(space).Create(t.Context(), slice("x", "second", "10.1.0.1", "10.1.0.2"),
			meta.CreateOptions{}))(t)
		if err := client.CoreV1().Services(space).Delete(t.Context(), "first", meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		eventually(t, "two added, one changed, one deleted", func() bool {
			return added.Load() == 2 && updated.Load() >= 1 && deleted.Load() == 1
		})
		eventually(t, "the slice in the cache", func() bool {
			found, err := slices.Lister().List(labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: "second"}))
			return err == nil && len(found) == 1 && len(found[0].Endpoints) == 2
		})
	})
}

func TestDynamicAndMetadataClients(t *testing.T) {
	typed := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, typed)
	mapper := restmapper.NewDiscoveryRESTMapper(must(restmapper.GetAPIGroupResources(typed.Discovery()))(t))
	mapping := must(mapper.RESTMapping(schema.GroupKind{Kind: "Service"}))(t)
	objects := must(dynamic.NewForConfig(config("")))(t).Resource(mapping.Resource).Namespace(space)
	made := must(objects.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}}}}, meta.CreateOptions{}))(t)
	if ip, _, _ := unstructured.NestedString(made.Object, "spec", "clusterIP"); ip == "" {
		t.Error("no address")
	}
	partial := must(must(metadata.NewForConfig(config("")))(t).Resource(mapping.Resource).Namespace(space).
		Get(t.Context(), "web", meta.GetOptions{}))(t)
	if partial.UID != made.GetUID() {
		t.Error("another object")
	}
	for _, plural := range []string{"leases", "events", "endpointslices", "ipaddresses", "servicecidrs", "pods", "nodes"} {
		if _, err := mapper.KindFor(schema.GroupVersionResource{Resource: plural}); err != nil {
			t.Errorf("%s: %v", plural, err)
		}
	}
	if version := must(typed.Discovery().ServerVersion())(t); version.Major != "1" {
		t.Errorf("version %v", version)
	}
}

func TestLeaderElection(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	var leaders atomic.Int32
	led := make(chan string, 2)
	elect := func(ctx context.Context, name string) {
		lock := must(resourcelock.New(resourcelock.LeasesResourceLock, space, "leader", client.CoreV1(),
			client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name}))(t)
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second,
			RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					if leaders.Add(1) != 1 {
						t.Error("two leaders")
					}
					led <- name
					<-ctx.Done()
				},
				OnStoppedLeading: func() {},
			}})
	}
	first, stopFirst := context.WithCancel(t.Context())
	go elect(first, "a")
	if name := <-led; name != "a" {
		t.Fatal(name)
	}
	second, stopSecond := context.WithCancel(t.Context())
	defer stopSecond()
	go elect(second, "b")
	time.Sleep(time.Second)
	leaders.Add(-1)
	stopFirst()
	select {
	case name := <-led:
		if name != "b" {
			t.Error(name)
		}
	case <-time.After(patience):
		t.Fatal("nobody took over")
	}
	lease := must(client.CoordinationV1().Leases(space).Get(t.Context(), "leader", meta.GetOptions{}))(t)
	if *lease.Spec.HolderIdentity != "b" || *lease.Spec.LeaseTransitions == 0 {
		t.Errorf("%+v", lease.Spec)
	}
	bare := &coordination.Lease{ObjectMeta: meta.ObjectMeta{Name: "leader"}}
	if _, err := client.CoordinationV1().Leases(space).Update(t.Context(), bare, meta.UpdateOptions{}); !apierrors.IsInvalid(err) {
		t.Errorf("a lease was replaced without knowing it: %v", err)
	}
}

func TestEventRecorders(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	about := must(client.CoreV1().Services(space).Create(t.Context(), service("web"), meta.CreateOptions{}))(t)

	old := record.NewBroadcaster()
	defer old.Shutdown()
	old.StartRecordingToSink(&recordSink{client, space})
	recorder := old.NewRecorder(scheme.Scheme, core.EventSource{Component: "tester"})
	for range 3 {
		recorder.Event(about, core.EventTypeWarning, "Failing", "it fails")
	}
	eventually(t, "one event that counts three", func() bool {
		found, err := client.CoreV1().Events(space).List(t.Context(), meta.ListOptions{
			FieldSelector: "involvedObject.name=web,reason=Failing"})
		return err == nil && len(found.Items) == 1 && found.Items[0].Count == 3
	})

	fresh := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	defer fresh.Shutdown()
	if err := fresh.StartRecordingToSinkWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	teller := fresh.NewRecorder(scheme.Scheme, "example.com/tester")
	for range 2 {
		teller.Eventf(about, nil, core.EventTypeNormal, "Synced", "Sync", "all is well")
	}
	eventually(t, "the event in both groups", func() bool {
		found, err := client.CoreV1().Events(space).List(t.Context(), meta.ListOptions{FieldSelector: "reason=Synced"})
		if err != nil || len(found.Items) == 0 {
			return false
		}
		same, err := client.EventsV1().Events(space).Get(t.Context(), found.Items[0].Name, meta.GetOptions{})
		return err == nil && same.Note == "all is well" && same.Regarding.UID == about.UID
	})
}

// recordSink is what client-go's own sink does, with a client that knows its namespace.
type recordSink struct {
	client kubernetes.Interface
	space  string
}

func (s *recordSink) Create(event *core.Event) (*core.Event, error) {
	return s.client.CoreV1().Events(s.space).CreateWithEventNamespaceWithContext(context.Background(), event)
}
func (s *recordSink) Update(event *core.Event) (*core.Event, error) {
	return s.client.CoreV1().Events(s.space).UpdateWithEventNamespaceWithContext(context.Background(), event)
}
func (s *recordSink) Patch(event *core.Event, data []byte) (*core.Event, error) {
	return s.client.CoreV1().Events(s.space).PatchWithEventNamespaceWithContext(context.Background(), event, data)
}

func TestPodsAreWrittenByAgents(t *testing.T) {
	forEachEncoding(t, podsAreWritten)
}

func podsAreWritten(t *testing.T, client kubernetes.Interface) {
	pods := client.CoreV1().Pods(newNamespace(t, client))
	made := must(pods.Create(t.Context(), &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "web-1"},
		Spec: core.PodSpec{NodeName: "n", Containers: []core.Container{{Name: "c", Image: "i:1",
			Resources: core.ResourceRequirements{Limits: core.ResourceList{core.ResourceCPU: resource.MustParse("1500m")}}}},
			Volumes: []core.Volume{{Name: "v"}}}}, meta.CreateOptions{}))(t)
	made.Status = core.PodStatus{Phase: core.PodRunning, PodIP: "10.1.0.1", PodIPs: []core.PodIP{{IP: "10.1.0.1"}},
		Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}}
	must(pods.UpdateStatus(t.Context(), made, meta.UpdateOptions{}))(t)
	found := must(pods.List(t.Context(), meta.ListOptions{FieldSelector: "spec.nodeName=n,status.phase=Running"}))(t)
	if len(found.Items) != 1 {
		t.Fatalf("%d pods", len(found.Items))
	}
	pod := found.Items[0]
	if cpu := pod.Spec.Containers[0].Resources.Limits[core.ResourceCPU]; cpu.MilliValue() != 1500 || len(pod.Spec.Volumes) != 1 {
		t.Errorf("something was lost: %+v", pod.Spec)
	}
}

func TestRefusalsAreUnderstood(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	services := client.CoreV1().Services(space)
	_, err := services.Create(t.Context(), &core.Service{ObjectMeta: meta.ObjectMeta{Name: "Bad_Name"}}, meta.CreateOptions{})
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || len(status.Status().Details.Causes) != 2 {
		t.Errorf("%v", err)
	}
	if _, err := services.Get(t.Context(), "none", meta.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	if _, err := services.List(t.Context(), meta.ListOptions{LabelSelector: "a in"}); !apierrors.IsBadRequest(err) {
		t.Error(err)
	}
	if _, err := services.List(t.Context(), meta.ListOptions{FieldSelector: "spec.colour=red"}); !apierrors.IsBadRequest(err) {
		t.Error(err)
	}
	if _, err := client.CoreV1().ConfigMaps(space).List(t.Context(), meta.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	if _, err := client.CoreV1().Services("nowhere").Create(t.Context(), service("web"), meta.CreateOptions{}); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	watched, err := services.Watch(t.Context(), meta.ListOptions{ResourceVersion: "1", TimeoutSeconds: new(int64)})
	if err == nil {
		watched.Stop()
	} else if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Error(err)
	}
}
