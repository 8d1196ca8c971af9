// From decoded objects to published answers: what a source costs apart from reading JSON, in CPU time and memory.
//
//   bench_source [--services 100000] [--endpoints 10]
//
// Each service has one virtual IP and, where endpoints are asked for, one EndpointSlice as the control plane writes it,
// with nodeName and targetRef. Objects are made in batches and only handing them over is timed; making them is not.
// Then one endpoint changes, and the whole is listed again.
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <vector>

#include "server/source/publisher.hpp"
#include "zone/zone.hpp"

using namespace signpost;

namespace {

struct Options {
  unsigned services = 100'000, endpoints = 10;
};

bool read_options(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = arguments[i];
    char* end = nullptr;
    const unsigned long value = i + 1 < count ? std::strtoul(arguments[i + 1], &end, 10) : 0;
    if (end == nullptr || *end != '\0' || value > 10'000'000) return false;
    if (name == "--services" && value > 0)
      options.services = static_cast<unsigned>(value);
    else if (name == "--endpoints")
      options.endpoints = static_cast<unsigned>(value);
    else
      return false;
  }
  return true;
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Octets resident, without what the heap holds free.
double resident() {
  ::malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double all = 0, here = 0;
  file >> all >> here;
  return here * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::string dotted(unsigned net, unsigned host) {
  return std::to_string(net + (host >> 24)) + '.' + std::to_string(host >> 16 & 255) + '.' +
         std::to_string(host >> 8 & 255) + '.' + std::to_string(host & 255);
}

model::ObjectMeta metadata(unsigned i, const std::string& name) {
  model::ObjectMeta meta;
  meta.name = name;
  meta.name_space = "ns-" + std::to_string(i % 50);
  meta.uid = "5f0c3d1e-7a55-4d3a-9f6e-00" + std::to_string(1'000'000'000 + i);
  meta.labels["app"] = "svc-" + std::to_string(i);
  return meta;
}

model::Service service(unsigned i) {
  model::Service made;
  made.metadata = metadata(i, "svc-" + std::to_string(i));
  made.spec.type = "ClusterIP";
  made.spec.cluster_ip = dotted(10, 96u << 16 | i);
  made.spec.cluster_ips = {made.spec.cluster_ip};
  made.spec.ports.push_back({.name = "http", .protocol = "TCP", .port = 80});
  return made;
}

model::EndpointSlice slice(unsigned i, unsigned endpoints, bool changed) {
  model::EndpointSlice made;
  made.metadata = metadata(i, "svc-" + std::to_string(i) + "-x7k2p");
  made.metadata.labels[model::service_name_label] = "svc-" + std::to_string(i);
  made.address_type = "IPv4";
  made.ports.push_back({.name = "http", .protocol = "TCP", .port = 8080});
  for (unsigned k = 0; k < endpoints; ++k) {
    auto& endpoint = made.endpoints.emplace_back();
    const unsigned pod = i * endpoints + k;
    endpoint.addresses = {changed && k == 0 ? dotted(100, pod) : dotted(20, pod)};
    endpoint.conditions = {true, true, false};
    endpoint.node_name = "node-" + std::to_string(pod % 5000);
    endpoint.target_ref.emplace();
    endpoint.target_ref->kind = "Pod";
    endpoint.target_ref->name = made.metadata.name + '-' + std::to_string(pod);
    endpoint.target_ref->name_space = made.metadata.name_space;
  }
  return made;
}

struct Cost {
  double catalog, publishing;        // seconds
  double catalog_octets, all_octets; // resident, more than before
};

Cost list(server::Publisher& publisher, const Options& options, bool changed) {
  constexpr unsigned batch = 500;
  const double before = resident();
  Cost cost{};
  catalog::Catalog fresh;
  catalog::Changes unused;
  for (unsigned first = 0; first < options.services; first += batch) {
    std::vector<model::Object> objects;
    for (unsigned i = first; i < std::min(first + batch, options.services); ++i) {
      objects.emplace_back(service(i));
      if (options.endpoints > 0) objects.emplace_back(slice(i, options.endpoints, changed && i == 7));
    }
    const double start = cpu_seconds();
    for (const auto& object : objects) fresh.put(object, unused);
    cost.catalog += cpu_seconds() - start;
    unused = {};
  }
  cost.catalog_octets = resident() - before;
  const double start = cpu_seconds();
  publisher.replace(std::move(fresh));
  publisher.publish();
  cost.publishing = cpu_seconds() - start;
  cost.all_octets = resident() - before;
  return cost;
}

} // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    std::fprintf(stderr, "usage: bench_source [--services N] [--endpoints N]\n");
    return 2;
  }
  zone::Zone zone({});
  server::Publisher publisher(zone);
  const auto show = [](const char* what, const Cost& cost) {
    std::printf("%-24s catalog %6.3f s, published %6.3f s, together %6.3f s of CPU\n", what, cost.catalog,
                cost.publishing, cost.catalog + cost.publishing);
  };
  const Cost first = list(publisher, options, false);
  show("first list", first);
  const auto counts = zone.counts();
  const auto each = [&](double octets) { return octets / options.services; };
  std::printf("octets a service         %.1f: catalog %.1f, zone's entries %.1f, zone's tables %.1f\n",
              each(first.all_octets), each(first.catalog_octets), each(static_cast<double>(counts.blocks)),
              each(static_cast<double>(counts.octets - counts.blocks)));
  show("the same list again", list(publisher, options, false));
  const Cost changed = list(publisher, options, true);
  show("one endpoint changed", changed);
  std::printf("resident, more than before the last list: %.1f MB\n", changed.all_octets / 1e6);
}
