#include "discovery/model/kind.hpp"

#include <doctest/doctest.h>

using namespace signpost::model;

TEST_CASE("the table has a row per kind, findable by apiVersion and name") {
  CHECK(kinds().size() == std::variant_size_v<Object>);
  for (const auto& row : kinds()) {
    CAPTURE(row.name);
    CHECK(&info(row.kind) == &row);
    CHECK(find_kind(row.api_version(), row.name) == &row);
    CHECK(row.api_version() == (row.group.empty() ? std::string(row.version) : std::string(row.group) + "/v1"));
    CHECK(row.qualified_resource() ==
          std::string(row.plural) + (row.group.empty() ? "" : "." + std::string(row.group)));
  }
  CHECK(find_kind("v1", "ConfigMap") == nullptr);
  CHECK(find_kind("v1", "EndpointSlice") == nullptr);
  CHECK(find_kind("discovery.k8s.io/v1beta1", "EndpointSlice") == nullptr);
  CHECK(find_kind("", "Service") == nullptr);
}

TEST_CASE("an object knows its kind and metadata") {
  EndpointSlice slice;
  slice.metadata.name = "web-abc";
  Object object = slice;
  CHECK(kind_of(object) == Kind::endpoint_slice);
  CHECK(metadata(object).name == "web-abc");
  metadata(object).name = "other";
  CHECK(std::get<EndpointSlice>(object).metadata.name == "other");
}
