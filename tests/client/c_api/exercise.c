#include "exercise.h"

#include <netinet/in.h>
#include <poll.h>
#include <signpost/signpost.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      snprintf(failure, sizeof failure, "line %d: %s", __LINE__, #condition);                                          \
      return failure;                                                                                                  \
    }                                                                                                                  \
  } while (0)

static char failure[256];

static signpost_client *open_client(const char *servers) {
  const signpost_options options = {.size = sizeof options,
                                    .servers = servers,
                                    .name_space = "default",
                                    .cluster_domain = "cluster.local",
                                    .timeout_ms = 5000};
  signpost_client *client = NULL;
  return signpost_open(&options, &client) == SIGNPOST_OK ? client : NULL;
}

const char *exercise_blocking(const char *servers) {
  signpost_client *client = open_client(servers);
  signpost_result *result = NULL;
  CHECK(client != NULL);

  signpost_query query = {.size = sizeof query, .name = "web", .port = "80", .family = 4};
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_OK);
  CHECK(signpost_result_count(result) == 1);
  CHECK(strcmp(signpost_result_name(result), "web.default.svc.cluster.local") == 0);
  CHECK(strcmp(signpost_result_canonical(result), signpost_result_name(result)) == 0);
  CHECK(signpost_result_partial(result) == 0);

  signpost_endpoint endpoint = {.size = sizeof endpoint};
  CHECK(signpost_result_endpoint(result, 0, &endpoint) == SIGNPOST_OK);
  CHECK(strcmp(endpoint.address, "10.96.0.5") == 0);
  CHECK(endpoint.port == 80 && endpoint.family == 4 && endpoint.ttl == 5);
  CHECK(memcmp(endpoint.bytes, "\x0a\x60\x00\x05", 4) == 0);
  CHECK(signpost_result_endpoint(result, 1, &endpoint) == SIGNPOST_NOT_FOUND);

  struct sockaddr_storage address;
  CHECK(signpost_result_sockaddr(result, 0, &address) == sizeof(struct sockaddr_in));
  CHECK(((struct sockaddr_in *)&address)->sin_port == htons(80));
  CHECK(signpost_result_sockaddr(result, 1, &address) == 0);
  signpost_result_free(result);

  query.name = "nosuch";
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_NOT_FOUND);
  CHECK(result == NULL);
  signpost_close(client);
  return NULL;
}

/* A caller built against an older header knows fewer members; one built against a newer, more. */
const char *exercise_sizes(const char *servers) {
  signpost_client *client = open_client(servers);
  CHECK(client != NULL);
  struct {
    signpost_query query;
    long later_member;
  } newer = {.query = {.size = sizeof newer, .name = "web"}, .later_member = -1};
  signpost_result *result = NULL;
  CHECK(signpost_resolve(client, &newer.query, &result) == SIGNPOST_OK);

  signpost_query older = {.size = offsetof(signpost_query, family), .name = "web", .family = 99};
  signpost_result *second = NULL;
  CHECK(signpost_resolve(client, &older, &second) == SIGNPOST_OK);
  signpost_result_free(second);

  signpost_endpoint small = {.size = offsetof(signpost_endpoint, port), .port = 4711};
  CHECK(signpost_result_endpoint(result, 0, &small) == SIGNPOST_OK);
  CHECK(small.address != NULL && small.port == 4711);
  signpost_result_free(result);
  signpost_close(client);
  return NULL;
}

const char *exercise_mistakes(const char *servers) {
  signpost_client *client = NULL;
  signpost_result *result = NULL;
  signpost_options options = {.size = 0, .servers = servers};
  signpost_query query = {.size = sizeof query, .name = "web"};
  CHECK(signpost_open(&options, &client) == SIGNPOST_BAD_OPTIONS);
  CHECK(signpost_open(&options, NULL) == SIGNPOST_BAD_OPTIONS);
  options.size = sizeof options;
  options.servers = "nonsense";
  CHECK(signpost_open(&options, &client) == SIGNPOST_BAD_OPTIONS && client != NULL);
  CHECK(strstr(signpost_client_error(client), "nonsense") != NULL);
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_BAD_OPTIONS && result == NULL);
  signpost_close(client);
  options.servers = "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1";
  CHECK(signpost_open(&options, &client) == SIGNPOST_BAD_OPTIONS);
  CHECK(strstr(signpost_client_error(client), "at most 8") != NULL);
  signpost_close(client);
  options.servers = servers;
  options.delivery = 2;
  CHECK(signpost_open(&options, &client) == SIGNPOST_BAD_OPTIONS && client == NULL);
  CHECK(strlen(signpost_client_error(NULL)) > 0);
  CHECK(signpost_fd(NULL) == -1 && signpost_process(NULL) == 0 && signpost_client_warnings(NULL, NULL, 0) == 0);
  client = open_client(servers);
  CHECK(strcmp(signpost_client_error(client), "") == 0);
  CHECK(signpost_fd(client) == -1 && signpost_process(client) == 0);
  CHECK(signpost_resolve(NULL, &query, &result) == SIGNPOST_BAD_OPTIONS);
  CHECK(signpost_resolve(client, NULL, &result) == SIGNPOST_BAD_OPTIONS);
  CHECK(signpost_resolve(client, &query, NULL) == SIGNPOST_BAD_OPTIONS);
  query.family = 5;
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_BAD_OPTIONS);
  query.family = 0;
  query.name = "two words";
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_BAD_NAME);
  query.name = NULL;
  CHECK(signpost_resolve(client, &query, &result) == SIGNPOST_BAD_OPTIONS);
  CHECK(signpost_resolve_async(client, &query, NULL, NULL, NULL) == SIGNPOST_BAD_OPTIONS);
  signpost_close(client);

  signpost_close(NULL);
  signpost_result_free(NULL);
  signpost_request_free(NULL);
  CHECK(signpost_result_count(NULL) == 0 && signpost_request_cancel(NULL) == 0);
  for (int code = -1; code < 20; code++) CHECK(strlen(signpost_error_message((signpost_error)code)) > 0);
  CHECK(strlen(signpost_version()) > 0);
  return NULL;
}

struct outcome {
  atomic_int calls;
  atomic_int error;
  atomic_size_t count;
};

static void note(void *context, signpost_error error, signpost_result *result) {
  struct outcome *outcome = context;
  outcome->error = (int)error;
  outcome->count = signpost_result_count(result);
  signpost_result_free(result);
  outcome->calls++;
}

const char *exercise_async(const char *servers) {
  signpost_client *client = open_client(servers);
  CHECK(client != NULL);
  struct outcome good = {0}, cancelled = {0};
  signpost_query query = {.size = sizeof query, .name = "web"};
  CHECK(signpost_resolve_async(client, &query, note, &good, NULL) == SIGNPOST_OK);

  signpost_request *request = NULL;
  query.name = "silent";
  CHECK(signpost_resolve_async(client, &query, note, &cancelled, &request) == SIGNPOST_OK);
  CHECK(signpost_request_cancel(request) == 1);
  CHECK(signpost_request_cancel(request) == 0);
  signpost_request_free(request);

  const struct timespec pause = {.tv_nsec = 1000000};
  while (good.calls == 0) nanosleep(&pause, NULL);
  signpost_close(client); /* returns when every callback has */
  CHECK(good.calls == 1 && good.error == SIGNPOST_OK && good.count == 2);
  CHECK(cancelled.calls == 1 && cancelled.error == SIGNPOST_CANCELLED && cancelled.count == 0);
  return NULL;
}

/* A loop of the program's own: the descriptor says when, signpost_process calls back. */
const char *exercise_poll(const char *servers) {
  signpost_options options = {.size = sizeof options,
                              .servers = servers,
                              .name_space = "default",
                              .cluster_domain = "cluster.local",
                              .delivery = 1};
  signpost_client *client = NULL;
  CHECK(signpost_open(&options, &client) == SIGNPOST_OK);
  struct pollfd entry = {.fd = signpost_fd(client), .events = POLLIN};
  CHECK(entry.fd >= 0 && poll(&entry, 1, 0) == 0 && signpost_process(client) == 0);

  struct outcome outcomes[3] = {0};
  const char *names[] = {"web", "nosuch", "silent"};
  signpost_request *silent = NULL;
  for (int i = 0; i < 3; i++) {
    signpost_query query = {.size = sizeof query, .name = names[i]};
    CHECK(signpost_resolve_async(client, &query, note, &outcomes[i], i == 2 ? &silent : NULL) == SIGNPOST_OK);
  }
  size_t called = 0;
  while (called < 2 && poll(&entry, 1, 60000) == 1) called += signpost_process(client);
  CHECK(called == 2 && poll(&entry, 1, 0) == 0);
  CHECK(outcomes[0].error == SIGNPOST_OK && outcomes[0].count == 2 && outcomes[1].error == SIGNPOST_NOT_FOUND);
  CHECK(signpost_request_cancel(silent) == 1);
  CHECK(poll(&entry, 1, 60000) == 1 && signpost_process(client) == 1);
  CHECK(outcomes[2].error == SIGNPOST_CANCELLED && outcomes[2].calls == 1);
  signpost_request_free(silent);

  /* What still waits when the client is closed is called back then. */
  struct outcome late = {0};
  signpost_query query = {.size = sizeof query, .name = "silent"};
  CHECK(signpost_resolve_async(client, &query, note, &late, NULL) == SIGNPOST_OK);
  signpost_close(client);
  CHECK(late.calls == 1 && late.error == SIGNPOST_CANCELLED);
  return NULL;
}

/* resolv.conf is followed, and what of it is not understood is said. */
const char *exercise_resolv_conf(const char *servers) {
  char path[] = "/tmp/signpost-c-XXXXXX", text[256];
  const int fd = mkstemp(path);
  CHECK(fd >= 0);
  const char *lines = "nameserver 127.0.0.1\nnamesever 127.0.0.2\n";
  CHECK(write(fd, lines, strlen(lines)) == (ssize_t)strlen(lines));
  close(fd);
  const signpost_options options = {.size = sizeof options, .servers = servers, .resolv_conf = path};
  signpost_client *client = NULL;
  CHECK(signpost_open(&options, &client) == SIGNPOST_OK);
  const size_t size = signpost_client_warnings(client, text, sizeof text);
  CHECK(size == strlen(text) && strstr(text, ":2: \"namesever\"") != NULL && text[size - 1] == '\n');
  CHECK(signpost_client_warnings(client, text, 4) == size && strlen(text) == 3);
  signpost_close(client);
  unlink(path);
  return NULL;
}
