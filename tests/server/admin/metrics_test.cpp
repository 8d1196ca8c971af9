#include "server/admin/metrics.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace signpost::server;

TEST_CASE("samples of one name share help and type, labels are escaped") {
  const std::string page = metrics_page({
      {"signpost_dns_queries_total", "Queries", Sample::Type::counter, 3, {{"listen", "127.0.0.1:53"}}},
      {"signpost_services", "Services known", Sample::Type::gauge, 2, {}},
      {"signpost_dns_queries_total", "", Sample::Type::counter, 4, {{"listen", "a\"b\\c\nd"}}},
  });
  CHECK(page == "# HELP signpost_dns_queries_total Queries\n"
                "# TYPE signpost_dns_queries_total counter\n"
                "signpost_dns_queries_total{listen=\"127.0.0.1:53\"} 3\n"
                "signpost_dns_queries_total{listen=\"a\\\"b\\\\c\\nd\"} 4\n"
                "# HELP signpost_services Services known\n"
                "# TYPE signpost_services gauge\n"
                "signpost_services 2\n");
}

TEST_CASE("counters keep whole numbers beyond 2^31") {
  const std::string page = metrics_page({{"x_total", "x", Sample::Type::counter, 4294967296.0, {}}});
  CHECK(page.find("x_total 4294967296\n") != std::string::npos);
}

TEST_CASE("a histogram has its buckets, the sum and the count") {
  const Sample sample{"signpost_dns_query_bytes", "Sizes", Sample::Type::histogram, 300, {{"proto", "udp"}},
                      {{31, 1}, {63, 3}, {std::numeric_limits<double>::infinity(), 5}}};
  CHECK(metrics_page({sample}) == "# HELP signpost_dns_query_bytes Sizes\n"
                                  "# TYPE signpost_dns_query_bytes histogram\n"
                                  "signpost_dns_query_bytes_count{proto=\"udp\"} 5\n"
                                  "signpost_dns_query_bytes_sum{proto=\"udp\"} 300\n"
                                  "signpost_dns_query_bytes_bucket{proto=\"udp\",le=\"31\"} 1\n"
                                  "signpost_dns_query_bytes_bucket{proto=\"udp\",le=\"63\"} 3\n"
                                  "signpost_dns_query_bytes_bucket{proto=\"udp\",le=\"+Inf\"} 5\n");
}
