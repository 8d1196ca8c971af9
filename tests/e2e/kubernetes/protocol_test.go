package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// toldUntil notes what a watch says until it has seen the name deleted: "ADDED web", ….
func toldUntil(t *testing.T, from watch.Interface, last string) []string {
	t.Helper()
	defer from.Stop()
	var seen []string
	for event := range from.ResultChan() {
		if event.Type == watch.Error {
			t.Fatalf("error: %v", event.Object)
		}
		if event.Type == watch.Bookmark {
			continue
		}
		name := event.Object.(meta.Object).GetName()
		seen = append(seen, fmt.Sprint(event.Type, " ", name))
		if event.Type == watch.Deleted && name == last {
			return seen
		}
	}
	t.Fatalf("the watch ended: %v", seen)
	return nil
}

func TestSelectorsChooseWhatAWatchSays(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		services := client.CoreV1().Services(newNamespace(t, client))
		start := must(services.List(t.Context(), meta.ListOptions{}))(t).ResourceVersion
		watching := must(services.Watch(t.Context(), meta.ListOptions{ResourceVersion: start, LabelSelector: "tier in (a,b),!hidden"}))(t)
		web := service("web")
		web.Labels = map[string]string{"tier": "c"}
		web = must(services.Create(t.Context(), web, meta.CreateOptions{}))(t)
		for _, tier := range []string{"a", "b", "c", "b"} {
			web.Labels["tier"] = tier
			web = must(services.Update(t.Context(), web, meta.UpdateOptions{}))(t)
		}
		if err := services.Delete(t.Context(), "web", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		var seen []string
		for len(seen) < 5 {
			event := <-watching.ResultChan()
			seen = append(seen, string(event.Type))
		}
		watching.Stop()
		if want := []string{"ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"}; !slices.Equal(seen, want) {
			t.Errorf("%v, not %v", seen, want)
		}
		// From the same revision again, everything is told again.
		all := must(services.Watch(t.Context(), meta.ListOptions{ResourceVersion: start}))(t)
		if again := toldUntil(t, all, "web"); len(again) != 6 {
			t.Errorf("told again: %v", again)
		}
	})
}

func TestRetryWatcherGoesOn(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	services := client.CoreV1().Services(newNamespace(t, client))
	start := must(services.List(t.Context(), meta.ListOptions{}))(t).ResourceVersion
	one := int64(1)
	watching := must(watchtools.NewRetryWatcherWithContext(t.Context(), start, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
			options.TimeoutSeconds = &one // so that it is opened again and again
			return services.Watch(ctx, options)
		}}))(t)
	for i := range 30 {
		name := fmt.Sprint("s", i)
		must(services.Create(t.Context(), service(name), meta.CreateOptions{}))(t)
		if event := <-watching.ResultChan(); event.Type != watch.Added || event.Object.(*core.Service).Name != name {
			t.Fatalf("after %d: %+v", i, event)
		}
		if i%10 == 9 {
			time.Sleep(1500 * time.Millisecond) // the watch has ended meanwhile
		}
	}
	watching.Stop()
}

func TestListsAreStreamedToInformers(t *testing.T) {
	// sendInitialEvents: the list comes as events, and a bookmark says where it ends.
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		for i := range 20 {
			must(client.CoreV1().Services(space).Create(t.Context(), service(fmt.Sprint("s", i)), meta.CreateOptions{}))(t)
		}
		yes := true
		watching := must(client.CoreV1().Services(space).Watch(t.Context(), meta.ListOptions{SendInitialEvents: &yes,
			AllowWatchBookmarks: true, ResourceVersionMatch: meta.ResourceVersionMatchNotOlderThan}))(t)
		defer watching.Stop()
		added := 0
		for event := range watching.ResultChan() {
			if event.Type == watch.Bookmark {
				bookmark := event.Object.(*core.Service)
				if bookmark.Annotations[meta.InitialEventsAnnotationKey] != "true" || bookmark.ResourceVersion == "" {
					t.Errorf("the bookmark: %+v", bookmark.ObjectMeta)
				}
				break
			}
			added++
		}
		if added != 20 {
			t.Errorf("%d before the bookmark", added)
		}
	})
}

func TestMetadataInformers(t *testing.T) {
	typed := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, typed)
	client := must(metadata.NewForConfig(config("")))(t)
	factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, space, nil)
	lister := factory.ForResource(discovery.SchemeGroupVersion.WithResource("endpointslices"))
	lister.Informer()
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	must(typed.DiscoveryV1().EndpointSlices(space).Create(t.Context(), slice("x", "web", "10.1.0.1"), meta.CreateOptions{}))(t)
	eventually(t, "its metadata", func() bool {
		found, err := lister.Lister().ByNamespace(space).Get("x")
		return err == nil && found.(*meta.PartialObjectMetadata).Labels[discovery.LabelServiceName] == "web"
	})
}

func TestManyInformersSeeTheSame(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	listers := make([]cache.SharedIndexInformer, 20)
	for i := range listers {
		factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(space))
		listers[i] = factory.Discovery().V1().EndpointSlices().Informer()
		factory.Start(t.Context().Done())
	}
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 40 {
				name := fmt.Sprintf("s-%d-%d", w, i%10)
				made := slice(name, "web", fmt.Sprintf("10.1.%d.%d", w, i))
				_, err := client.DiscoveryV1().EndpointSlices(space).Create(t.Context(), made, meta.CreateOptions{})
				if apierrors.IsAlreadyExists(err) {
					_, err = client.DiscoveryV1().EndpointSlices(space).Update(t.Context(), made, meta.UpdateOptions{})
				}
				if i%10 == 7 && err == nil {
					err = client.DiscoveryV1().EndpointSlices(space).Delete(t.Context(), name, meta.DeleteOptions{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	list := must(client.DiscoveryV1().EndpointSlices(space).List(t.Context(), meta.ListOptions{}))(t)
	revisions := map[string]string{}
	for _, item := range list.Items {
		revisions[item.Name] = item.ResourceVersion
	}
	for _, informer := range listers {
		eventually(t, "what the list shows", func() bool {
			if len(informer.GetStore().List()) != len(revisions) {
				return false
			}
			for _, object := range informer.GetStore().List() {
				if item := object.(*discovery.EndpointSlice); revisions[item.Name] != item.ResourceVersion {
					return false
				}
			}
			return true
		})
	}
}

func TestPatchesOfAllTypes(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		services := client.CoreV1().Services(newNamespace(t, client))
		must(services.Create(t.Context(), service("web"), meta.CreateOptions{}))(t)
		patch := func(kind types.PatchType, text string, subresources ...string) (*core.Service, error) {
			return services.Patch(t.Context(), "web", kind, []byte(text), meta.PatchOptions{}, subresources...)
		}
		ports := func(web *core.Service) (all []int32) {
			for _, port := range web.Spec.Ports {
				all = append(all, port.Port)
			}
			return all
		}
		merged := must(patch(types.StrategicMergePatchType, `{"spec":{"ports":[{"name":"alt","port":81}]}}`))(t)
		if !slices.Equal(ports(merged), []int32{81, 80}) && !slices.Equal(ports(merged), []int32{80, 81}) {
			t.Errorf("merged by port: %v", ports(merged))
		}
		deleted := must(patch(types.StrategicMergePatchType, `{"spec":{"ports":[{"port":81,"$patch":"delete"}]}}`))(t)
		if !slices.Equal(ports(deleted), []int32{80}) {
			t.Errorf("one deleted: %v", ports(deleted))
		}
		replaced := must(patch(types.MergePatchType, `{"spec":{"ports":[{"port":90}]},"metadata":{"labels":{"app":null}}}`))(t)
		if !slices.Equal(ports(replaced), []int32{90}) || len(replaced.Labels) != 0 {
			t.Errorf("replaced: %v %v", ports(replaced), replaced.Labels)
		}
		moved := must(patch(types.JSONPatchType, `[{"op":"test","path":"/spec/ports/0/port","value":90},`+
			`{"op":"add","path":"/metadata/labels","value":{"a":"b"}},{"op":"move","from":"/metadata/labels/a","path":"/metadata/labels/c"}]`))(t)
		if moved.Labels["c"] != "b" || len(moved.Labels) != 1 {
			t.Errorf("moved: %v", moved.Labels)
		}
		if _, err := patch(types.JSONPatchType, `[{"op":"test","path":"/spec/type","value":"x"}]`); !apierrors.IsInvalid(err) {
			t.Errorf("a test that fails: %v", err)
		}
		if _, err := patch(types.MergePatchType, `{"metadata":{"resourceVersion":"1"}}`); !apierrors.IsConflict(err) {
			t.Errorf("of an old revision: %v", err)
		}
		if _, err := patch(types.ApplyPatchType, `{}`); err == nil || !strings.Contains(err.Error(), "accepted media types") {
			t.Errorf("server-side apply: %v", err)
		}
		// As the controllers of load balancers write: finalizer and status in one.
		must(patch(types.MergePatchType, `{"spec":{"type":"LoadBalancer"}}`))(t)
		held := must(patch(types.StrategicMergePatchType, `{"metadata":{"finalizers":["example.com/balancer"]},`+
			`"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.7"}]}}}`, "status"))(t)
		if len(held.Finalizers) != 1 || held.Status.LoadBalancer.Ingress[0].IP != "192.0.2.7" {
			t.Errorf("with the status: %+v", held)
		}
		if err := services.Delete(t.Context(), "web", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if going := must(services.Get(t.Context(), "web", meta.GetOptions{}))(t); going.DeletionTimestamp == nil {
			t.Error("the finalizer did not hold it")
		}
		must(patch(types.StrategicMergePatchType,
			`{"metadata":{"$deleteFromPrimitiveList/finalizers":["example.com/balancer"]}}`, "status"))(t)
		if _, err := services.Get(t.Context(), "web", meta.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("still there: %v", err)
		}
	})
}

func TestPreconditionsAndDryRuns(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		services := client.CoreV1().Services(newNamespace(t, client))
		made := must(services.Create(t.Context(), service("web"), meta.CreateOptions{}))(t)
		other, old := types.UID("another"), "1"
		for _, wrong := range []meta.Preconditions{{UID: &other}, {ResourceVersion: &old}} {
			if err := services.Delete(t.Context(), "web", meta.DeleteOptions{Preconditions: &wrong}); !apierrors.IsConflict(err) {
				t.Errorf("%v: %v", wrong, err)
			}
		}
		dry := []string{meta.DryRunAll}
		made.Labels = map[string]string{"dry": "yes"}
		if shown := must(services.Update(t.Context(), made, meta.UpdateOptions{DryRun: dry}))(t); shown.Labels["dry"] != "yes" {
			t.Error("a dry update does not show what it would do")
		}
		must(services.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"type":"NodePort"}}`),
			meta.PatchOptions{DryRun: dry}))(t)
		if err := services.Delete(t.Context(), "web", meta.DeleteOptions{DryRun: dry}); err != nil {
			t.Error(err)
		}
		is := must(services.Get(t.Context(), "web", meta.GetOptions{}))(t)
		if is.Labels["dry"] != "" || is.Spec.Type != core.ServiceTypeClusterIP || is.ResourceVersion != made.ResourceVersion {
			t.Errorf("something came of it: %+v", is)
		}
		if err := services.Delete(t.Context(), "web", meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &made.UID,
			ResourceVersion: &made.ResourceVersion}}); err != nil {
			t.Error(err)
		}
	})
}

func TestFieldValidation(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	body := []byte(`{"metadata":{"name":"odd"},"spec":{"ports":[{"port":80}],"colour":"red","type":"ClusterIP","type":"ClusterIP"}}`)
	post := func(validation string) (warnings []string, err error) {
		result := client.CoreV1().RESTClient().Post().Namespace(space).Resource("services").Param("fieldValidation", validation).
			Param("dryRun", "All").SetHeader("Content-Type", "application/json").Body(body).Do(t.Context())
		for _, warning := range result.Warnings() {
			warnings = append(warnings, warning.Text)
		}
		return warnings, result.Error()
	}
	if _, err := post("Strict"); !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "spec.colour"`) ||
		!strings.Contains(err.Error(), `duplicate field "spec.type"`) {
		t.Errorf("Strict: %v", err)
	}
	if warnings, err := post("Warn"); err != nil || len(warnings) != 2 {
		t.Errorf("Warn: %q %v", warnings, err)
	}
	if warnings, err := post("Ignore"); err != nil || len(warnings) != 0 {
		t.Errorf("Ignore: %q %v", warnings, err)
	}
}

func TestTables(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	must(client.CoreV1().Services(space).Create(t.Context(), service("web"), meta.CreateOptions{}))(t)
	for path, columns := range map[string]string{
		"/api/v1/namespaces/" + space + "/services":                         "Name Type Cluster-IP External-IP Port(s) Age Selector",
		"/apis/discovery.k8s.io/v1/namespaces/" + space + "/endpointslices": "Name AddressType Ports Endpoints Age",
		"/api/v1/namespaces":                      "Name Status Age",
		"/api/v1/endpoints":                       "Name Endpoints Age",
		"/api/v1/pods":                            "Name Ready Status Restarts Age IP Node Nominated Node Readiness Gates",
		"/api/v1/nodes":                           "Name Status Roles Age Version Internal-IP External-IP OS-Image Kernel-Version Container-Runtime",
		"/api/v1/events":                          "Last Seen Type Reason Object Subobject Source Message First Seen Count Name",
		"/apis/coordination.k8s.io/v1/leases":     "Name Holder Age",
		"/apis/networking.k8s.io/v1/servicecidrs": "Name CIDRs Age",
		"/apis/networking.k8s.io/v1/ipaddresses":  "Name ParentRef",
	} {
		text, err := client.CoreV1().RESTClient().Get().AbsPath(path).
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Raw()
		if err != nil {
			t.Fatal(err)
		}
		var table meta.Table
		if err := json.Unmarshal(text, &table); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, column := range table.ColumnDefinitions {
			names = append(names, column.Name)
		}
		if got := strings.Join(names, " "); got != columns {
			t.Errorf("%s: %s, not %s", path, got, columns)
		}
		for _, row := range table.Rows {
			if len(row.Cells) != len(table.ColumnDefinitions) {
				t.Errorf("%s: a row of %d cells", path, len(row.Cells))
			}
		}
	}
}

func TestOldRevisionsAreGoneOrThere(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	services := client.CoreV1().Services(newNamespace(t, client))
	must(services.Create(t.Context(), service("a"), meta.CreateOptions{}))(t)
	before := must(services.List(t.Context(), meta.ListOptions{}))(t)
	must(services.Create(t.Context(), service("b"), meta.CreateOptions{}))(t)
	exact := must(services.List(t.Context(), meta.ListOptions{ResourceVersion: before.ResourceVersion,
		ResourceVersionMatch: meta.ResourceVersionMatchExact}))(t)
	if len(exact.Items) != 1 || exact.ResourceVersion != before.ResourceVersion {
		t.Errorf("at %s: %d services at %s", before.ResourceVersion, len(exact.Items), exact.ResourceVersion)
	}
	newer := must(services.List(t.Context(), meta.ListOptions{ResourceVersion: before.ResourceVersion,
		ResourceVersionMatch: meta.ResourceVersionMatchNotOlderThan}))(t)
	if len(newer.Items) != 2 {
		t.Errorf("not older: %d", len(newer.Items))
	}
	if _, err := services.List(t.Context(), meta.ListOptions{Continue: "nonsense"}); !apierrors.IsBadRequest(err) {
		t.Errorf("nonsense: %v", err)
	}
	err := client.CoreV1().RESTClient().Get().Resource("services").Param("resourceVersion", "999999999").MaxRetries(0).
		Do(t.Context()).Error()
	if !apierrors.IsTimeout(err) || !apierrors.HasStatusCause(err, meta.CauseTypeResourceVersionTooLarge) {
		t.Errorf("of the future: %v", err)
	}
	_, err = services.Watch(t.Context(), meta.ListOptions{ResourceVersionMatch: meta.ResourceVersionMatchExact})
	if !apierrors.IsInvalid(err) {
		t.Errorf("a watch of one revision: %v", err)
	}
}

func TestOnlyWhatDiscoveryNeedsIsStored(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "x", meta.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a ConfigMap: %v", err)
	}
	if _, err := client.CoreV1().Secrets("").List(t.Context(), meta.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("Secrets: %v", err)
	}
	if _, err := client.AppsV1().Deployments("default").List(t.Context(), meta.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("Deployments: %v", err)
	}
}

func TestHealth(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	for _, path := range []string{"/healthz", "/livez", "/readyz", "/readyz/ping", "/readyz?verbose", "/readyz?exclude=registry"} {
		code := 0
		request := client.Discovery().RESTClient().Get().RequestURI(path)
		text, err := request.Do(t.Context()).StatusCode(&code).Raw()
		if err != nil || code != http.StatusOK || !strings.Contains(string(text), "ok") {
			t.Errorf("%s: %d %s %v", path, code, text, err)
		}
	}
}

func TestInformersChooseByFields(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(space),
		informers.WithTweakListOptions(func(options *meta.ListOptions) { options.FieldSelector = "spec.clusterIP!=None" }))
	lister := factory.Core().V1().Services().Lister()
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	headless := service("headless")
	headless.Spec.ClusterIP = core.ClusterIPNone
	must(client.CoreV1().Services(space).Create(t.Context(), headless, meta.CreateOptions{}))(t)
	must(client.CoreV1().Services(space).Create(t.Context(), service("web"), meta.CreateOptions{}))(t)
	eventually(t, "web alone", func() bool {
		found, err := lister.List(labels.Everything())
		return err == nil && len(found) == 1 && found[0].Name == "web"
	})
}
