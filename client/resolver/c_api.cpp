#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>

#include <signpost/signpost.h>
#include <signpost/signpost.hpp>

struct signpost_client {
  signpost::Client client;
};

struct signpost_result {
  signpost::Result result;
  std::vector<std::string> addresses;
};

struct signpost_request {
  signpost::Request request;
};

namespace {

// What the caller's struct holds, the members that its version lacks zero. nullopt: no struct, or no size in it.
template <class T>
std::optional<T> read_struct(const T* given) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (given == nullptr || given->size < sizeof(size_t)) return std::nullopt;
  T out{};
  std::memcpy(&out, given, std::min(given->size, sizeof(T)));
  return out;
}

std::string text_or(const char* text, const char* otherwise) { return text == nullptr ? otherwise : text; }

std::optional<signpost::Query> query_of(const signpost_query* given) {
  const auto query = read_struct(given);
  if (!query || query->name == nullptr) return std::nullopt;
  if (query->family != 0 && query->family != 4 && query->family != 6) return std::nullopt;
  return signpost::Query{.name = query->name,
                         .port = text_or(query->port, ""),
                         .protocol = text_or(query->protocol, "tcp"),
                         .family = static_cast<signpost::Family>(query->family),
                         .timeout = std::chrono::milliseconds(query->timeout_ms)};
}

signpost_result* result_of(signpost::Result&& result) {
  auto* out = new signpost_result{std::move(result), {}};
  for (const auto& endpoint : out->result.endpoints) out->addresses.push_back(endpoint.address.to_string());
  return out;
}

// Exceptions (out of memory, nothing else) end at the edge.
template <class Work>
signpost_error guarded(Work work) noexcept {
  try {
    return work();
  } catch (...) {
    return SIGNPOST_NO_RESOURCES;
  }
}

} // namespace

extern "C" {

signpost_error signpost_open(const signpost_options* options, signpost_client** client) {
  return guarded([&] {
    if (client == nullptr) return SIGNPOST_BAD_OPTIONS;
    *client = nullptr;
    signpost::Options chosen;
    if (options != nullptr) {
      const auto given = read_struct(options);
      if (!given) return SIGNPOST_BAD_OPTIONS;
      const std::string servers = text_or(given->servers, "");
      for (std::size_t from = 0; from < servers.size();) {
        const auto comma = std::min(servers.find(',', from), servers.size());
        chosen.servers.push_back(servers.substr(from, comma - from));
        from = comma + 1;
      }
      chosen.name_space = text_or(given->name_space, "");
      chosen.cluster_domain = text_or(given->cluster_domain, "");
      if (given->timeout_ms != 0) chosen.timeout = std::chrono::milliseconds(given->timeout_ms);
      if (given->tries != 0) chosen.tries = given->tries;
      if (given->delivery > 1) return SIGNPOST_BAD_OPTIONS;
      chosen.delivery = static_cast<signpost::Delivery>(given->delivery);
      if (given->resolv_conf != nullptr) chosen.resolv_conf = given->resolv_conf;
    }
    *client = new signpost_client{signpost::Client(chosen)};
    return (*client)->client.error() ? SIGNPOST_BAD_OPTIONS : SIGNPOST_OK;
  });
}

const char* signpost_client_error(const signpost_client* client) {
  return client == nullptr ? "there is no client: signpost_open was given no options it can read, or had no memory"
                           : client->client.options_error().c_str();
}

size_t signpost_client_warnings(const signpost_client* client, char* text, size_t size) {
  std::string all;
  if (client != nullptr && guarded([&] {
                             for (const auto& warning : client->client.warnings()) all += warning + '\n';
                             return SIGNPOST_OK;
                           }) != SIGNPOST_OK)
    all.clear();
  if (text != nullptr && size > 0) text[all.copy(text, size - 1)] = '\0';
  return all.size();
}

int signpost_fd(const signpost_client* client) { return client == nullptr ? -1 : client->client.fd(); }

size_t signpost_process(signpost_client* client) { return client == nullptr ? 0 : client->client.process(); }

void signpost_close(signpost_client* client) { delete client; }

signpost_error signpost_resolve(signpost_client* client, const signpost_query* query, signpost_result** result) {
  return guarded([&] {
    if (client == nullptr || result == nullptr) return SIGNPOST_BAD_OPTIONS;
    *result = nullptr;
    const auto asked = query_of(query);
    if (!asked) return SIGNPOST_BAD_OPTIONS;
    auto found = client->client.resolve(*asked);
    if (found.error) return static_cast<signpost_error>(found.error.value());
    *result = result_of(std::move(found));
    return SIGNPOST_OK;
  });
}

signpost_error signpost_resolve_async(signpost_client* client, const signpost_query* query, signpost_callback callback,
                                      void* context, signpost_request** request) {
  return guarded([&] {
    if (request != nullptr) *request = nullptr;
    const auto asked = query_of(query);
    if (client == nullptr || callback == nullptr || !asked) return SIGNPOST_BAD_OPTIONS;
    // Had before the lookup begins: from then on nothing may fail, or the callback would come after an error.
    std::unique_ptr<signpost_request> handle(request == nullptr ? nullptr : new signpost_request{});
    auto begun = client->client.resolve_async(*asked, [callback, context](signpost::Result found) {
      if (found.error) return callback(context, static_cast<signpost_error>(found.error.value()), nullptr);
      signpost_result* made = nullptr;
      const auto error = guarded([&] {
        made = result_of(std::move(found));
        return SIGNPOST_OK;
      });
      callback(context, error, made);
    });
    if (handle) {
      handle->request = std::move(begun);
      *request = handle.release();
    }
    return SIGNPOST_OK;
  });
}

int signpost_request_cancel(const signpost_request* request) {
  return request != nullptr && request->request.cancel() ? 1 : 0;
}

void signpost_request_free(signpost_request* request) { delete request; }

size_t signpost_result_count(const signpost_result* result) {
  return result == nullptr ? 0 : result->result.endpoints.size();
}

signpost_error signpost_result_endpoint(const signpost_result* result, size_t index, signpost_endpoint* endpoint) {
  if (endpoint == nullptr || endpoint->size < sizeof(size_t)) return SIGNPOST_BAD_OPTIONS;
  if (index >= signpost_result_count(result)) return SIGNPOST_NOT_FOUND;
  const auto& from = result->result.endpoints[index];
  signpost_endpoint out{};
  out.size = endpoint->size;
  out.address = result->addresses[index].c_str();
  out.target = from.target.c_str();
  out.port = from.port;
  out.priority = from.priority;
  out.weight = from.weight;
  out.ttl = static_cast<uint32_t>(from.ttl.count());
  out.family = static_cast<int>(from.address.family);
  std::memcpy(out.bytes, from.address.bytes.data(), sizeof out.bytes);
  out.scope_id = from.address.zone;
  std::memcpy(endpoint, &out, std::min(endpoint->size, sizeof out));
  return SIGNPOST_OK;
}

socklen_t signpost_result_sockaddr(const signpost_result* result, size_t index, struct sockaddr_storage* address) {
  if (address == nullptr || index >= signpost_result_count(result)) return 0;
  return result->result.endpoints[index].to_sockaddr(*address);
}

const char* signpost_result_name(const signpost_result* result) {
  return result == nullptr ? "" : result->result.name.c_str();
}

const char* signpost_result_canonical(const signpost_result* result) {
  return result == nullptr ? "" : result->result.canonical.c_str();
}

int signpost_result_partial(const signpost_result* result) {
  return result != nullptr && result->result.partial ? 1 : 0;
}

void signpost_result_free(signpost_result* result) { delete result; }

const char* signpost_error_message(signpost_error error) {
  constexpr int last = SIGNPOST_DEAD_ALIAS;
  static const auto messages = [] {
    std::vector<std::string> out;
    for (int code = 0; code <= last; ++code) out.push_back(signpost::category().message(code));
    return out;
  }();
  return error >= 0 && error <= last ? messages[error].c_str() : "unknown error";
}

const char* signpost_version(void) { return signpost::version().data(); }

} // extern "C"
