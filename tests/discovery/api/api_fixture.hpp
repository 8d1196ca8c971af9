// A registry in memory behind a real server on a free loopback port.
#pragma once

#include <doctest/doctest.h>

#include "discovery/api/server.hpp"
#include "discovery/store/memory_store.hpp"
#include "tests/discovery/api/http_client.hpp"

namespace signpost::test {

struct ApiFixture {
  explicit ApiFixture(const std::string& vips = "10.96.0.0/16", api::Settings settings = {},
                      api::Callbacks callbacks = {}, const store::MemoryStore::Settings& history = {})
      : store(history), registry(store, registry::Settings{.vips = {*model::Prefix::parse(vips)}, .reserved = {}}) {
    const auto opened = registry.open();
    REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error()));
    settings.address = *model::Address::parse("127.0.0.1");
    settings.port = 0;
    server = std::make_unique<api::Server>(registry, settings, std::move(callbacks));
    const auto started = server->start();
    REQUIRE_MESSAGE(started.has_value(), (started ? std::string() : started.error()));
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "") {
    HttpClient client(server->port());
    return client.ask(method, target, body, headers);
  }
  Answer create(const std::string& name, const std::string& spec = R"("ports":[{"port":80}])",
                const std::string& metadata = "") {
    return ask("POST", "/api/v1/namespaces/default/services",
               R"({"metadata":{"name":")" + name + "\"" + metadata + R"(},"spec":{)" + spec + "}}");
  }

  store::MemoryStore store;
  registry::Registry registry;
  std::unique_ptr<api::Server> server; // ends first
};

} // namespace signpost::test
