package kubernetes

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// addresses of all slices of a service, sorted.
func addresses(t *testing.T, client kubernetes.Interface, space, service string) []string {
	t.Helper()
	list := must(client.DiscoveryV1().EndpointSlices(space).List(t.Context(),
		meta.ListOptions{LabelSelector: discovery.LabelServiceName + "=" + service}))(t)
	var all []string
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				all = append(all, endpoint.Addresses...)
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestEndpointsAreMirrored(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		must(client.CoreV1().Services(space).Create(t.Context(), service("db"), meta.CreateOptions{}))(t)
		endpoints := client.CoreV1().Endpoints(space)
		written := must(endpoints.Create(t.Context(), &core.Endpoints{ObjectMeta: meta.ObjectMeta{Name: "db"},
			Subsets: []core.EndpointSubset{{Addresses: []core.EndpointAddress{{IP: "10.2.0.1"}},
				Ports: []core.EndpointPort{{Name: "http", Port: 8080}}}}}, meta.CreateOptions{}))(t)
		eventually(t, "a slice", func() bool {
			return slices.Equal(addresses(t, client, space, "db"), []string{"10.2.0.1"})
		})
		written.Subsets[0].Addresses = append(written.Subsets[0].Addresses, core.EndpointAddress{IP: "10.2.0.2"})
		must(endpoints.Update(t.Context(), written, meta.UpdateOptions{}))(t)
		eventually(t, "both", func() bool {
			return slices.Equal(addresses(t, client, space, "db"), []string{"10.2.0.1", "10.2.0.2"})
		})
		if err := endpoints.Delete(t.Context(), "db", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "none", func() bool { return len(addresses(t, client, space, "db")) == 0 })
	})
}

func TestSlicesShowAsEndpoints(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	space := newNamespace(t, client)
	watch := must(client.CoreV1().Endpoints(space).Watch(t.Context(), meta.ListOptions{}))(t)
	defer watch.Stop()
	must(client.DiscoveryV1().EndpointSlices(space).Create(t.Context(), slice("web-1", "web", "10.2.0.1"),
		meta.CreateOptions{}))(t)
	event := <-watch.ResultChan()
	if shown, ok := event.Object.(*core.Endpoints); !ok || shown.Name != "web" ||
		shown.Subsets[0].Addresses[0].IP != "10.2.0.1" {
		t.Errorf("watched: %+v", event)
	}
}

func TestPodsBecomeEndpoints(t *testing.T) {
	forEachEncoding(t, podsBecomeEndpoints)
}

func podsBecomeEndpoints(t *testing.T, client kubernetes.Interface) {
	space := newNamespace(t, client)
	web := service("web")
	web.Spec.Selector = map[string]string{"app": "web"}
	must(client.CoreV1().Services(space).Create(t.Context(), web, meta.CreateOptions{}))(t)
	pod := must(client.CoreV1().Pods(space).Create(t.Context(), &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "p", Labels: web.Spec.Selector},
		Spec:       core.PodSpec{Containers: []core.Container{{Name: "c"}}}}, meta.CreateOptions{}))(t)
	pod.Status = core.PodStatus{Phase: core.PodRunning, PodIP: "10.2.0.7", PodIPs: []core.PodIP{{IP: "10.2.0.7"}},
		Conditions: []core.PodCondition{{Type: core.PodReady, Status: core.ConditionTrue}}}
	pod = must(client.CoreV1().Pods(space).UpdateStatus(t.Context(), pod, meta.UpdateOptions{}))(t)
	eventually(t, "its address", func() bool {
		return slices.Equal(addresses(t, client, space, "web"), []string{"10.2.0.7"})
	})
	pod.Status.Conditions[0].Status = core.ConditionFalse
	must(client.CoreV1().Pods(space).UpdateStatus(t.Context(), pod, meta.UpdateOptions{}))(t)
	eventually(t, "not ready", func() bool { return len(addresses(t, client, space, "web")) == 0 })
}

func TestServiceCIDRsAndIPAddresses(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		cidrs, ips := client.NetworkingV1().ServiceCIDRs(), client.NetworkingV1().IPAddresses()
		made := must(cidrs.Create(t.Context(), &networking.ServiceCIDR{ObjectMeta: meta.ObjectMeta{Name: "more"},
			Spec: networking.ServiceCIDRSpec{CIDRs: []string{"10.77.0.0/24"}}}, meta.CreateOptions{}))(t)
		if made.UID == "" {
			t.Errorf("not completed: %+v", made)
		}
		web := service("web")
		web.Spec.ClusterIP = "10.77.0.7"
		must(client.CoreV1().Services(space).Create(t.Context(), web, meta.CreateOptions{}))(t)
		held := must(ips.Get(t.Context(), "10.77.0.7", meta.GetOptions{}))(t)
		if held.Spec.ParentRef.Name != "web" || held.Spec.ParentRef.Namespace != space {
			t.Errorf("held by %+v", held.Spec.ParentRef)
		}
		must(ips.Create(t.Context(), &networking.IPAddress{ObjectMeta: meta.ObjectMeta{Name: "10.77.0.8"},
			Spec: networking.IPAddressSpec{ParentRef: &networking.ParentReference{Resource: "gateways", Name: "edge"}}},
			meta.CreateOptions{}))(t)
		other := service("other")
		other.Spec.ClusterIP = "10.77.0.8"
		if _, err := client.CoreV1().Services(space).Create(t.Context(), other, meta.CreateOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("a reserved address was given: %v", err)
		}
		if err := ips.Delete(t.Context(), "10.77.0.8", meta.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if err := cidrs.Delete(t.Context(), "more", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		waiting := must(cidrs.Get(t.Context(), "more", meta.GetOptions{}))(t)
		if waiting.DeletionTimestamp == nil || waiting.Status.Conditions[0].Status != meta.ConditionFalse {
			t.Errorf("does not wait: %+v", waiting)
		}
		if err := client.CoreV1().Services(space).Delete(t.Context(), "web", meta.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "gone", func() bool {
			_, err := cidrs.Get(t.Context(), "more", meta.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
}

func TestOwnersTakeWhatTheyOwnWithThem(t *testing.T) {
	forEachEncoding(t, func(t *testing.T, client kubernetes.Interface) {
		space := newNamespace(t, client)
		for _, policy := range []meta.DeletionPropagation{meta.DeletePropagationBackground,
			meta.DeletePropagationForeground, meta.DeletePropagationOrphan} {
			name := map[meta.DeletionPropagation]string{meta.DeletePropagationBackground: "back",
				meta.DeletePropagationForeground: "front", meta.DeletePropagationOrphan: "orphan"}[policy]
			owner := must(client.CoreV1().Services(space).Create(t.Context(), service(name), meta.CreateOptions{}))(t)
			owned := slice(name+"-1", name, "10.2.0.1")
			owned.OwnerReferences = []meta.OwnerReference{{APIVersion: "v1", Kind: "Service", Name: name, UID: owner.UID}}
			must(client.DiscoveryV1().EndpointSlices(space).Create(t.Context(), owned, meta.CreateOptions{}))(t)
			err := client.CoreV1().Services(space).Delete(t.Context(), name, meta.DeleteOptions{PropagationPolicy: &policy})
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the owner is gone", func() bool {
				_, err := client.CoreV1().Services(space).Get(t.Context(), name, meta.GetOptions{})
				return apierrors.IsNotFound(err)
			})
			if policy != meta.DeletePropagationOrphan {
				eventually(t, "what it owned is gone", func() bool {
					_, err := client.DiscoveryV1().EndpointSlices(space).Get(t.Context(), owned.Name, meta.GetOptions{})
					return apierrors.IsNotFound(err)
				})
				continue
			}
			left := must(client.DiscoveryV1().EndpointSlices(space).Get(t.Context(), owned.Name, meta.GetOptions{}))(t)
			if len(left.OwnerReferences) != 0 {
				t.Errorf("an orphan still has %+v", left.OwnerReferences)
			}
		}
	})
}

func TestDiscoveryIsOneDocument(t *testing.T) {
	client := must(kubernetes.NewForConfig(config("")))(t)
	groups, resources, failed, err := client.DiscoveryClient.GroupsAndMaybeResources()
	if err != nil || len(failed) != 0 {
		t.Fatal(err, failed)
	}
	if len(groups.Groups) != 6 {
		t.Errorf("groups: %+v", groups.Groups)
	}
	// Only the aggregated form brings the resources along.
	var names []string
	for _, list := range resources {
		for _, one := range list.APIResources {
			names = append(names, one.Name)
		}
	}
	for _, name := range []string{"services", "services/status", "endpointslices", "servicecidrs", "leases",
		"selfsubjectaccessreviews"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not in %v", name, names)
		}
	}
}
