/* libsignpost for C: turns the name of a service into addresses and ports. signpost.hpp is the same in C++ and says
 * how names are read, which threads call what, and what fork() does.
 *
 *   signpost_client *client;
 *   signpost_result *web;
 *   signpost_query query = {.size = sizeof query, .name = "web", .port = "http"};
 *
 *   if (signpost_open(NULL, &client) != SIGNPOST_OK) …
 *   signpost_error error = signpost_resolve(client, &query, &web);
 *   if (error != SIGNPOST_OK) {
 *     fprintf(stderr, "web: %s\n", signpost_error_message(error));
 *     return 1;
 *   }
 *   for (size_t i = 0; i < signpost_result_count(web); i++) {
 *     signpost_endpoint e = {.size = sizeof e};
 *     signpost_result_endpoint(web, i, &e);
 *     printf("%s %u\n", e.address, e.port);
 *   }
 *   signpost_result_free(web);
 *   signpost_close(client);
 *
 * Every struct starts with its size, which the caller sets: later versions append members, and members beyond the
 * given size are neither read nor written. A member that is zero means the default. Whatever a function hands out is
 * given back with the *_free or close function named beside it; all of them take NULL. */
#ifndef SIGNPOST_SIGNPOST_H
#define SIGNPOST_SIGNPOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIGNPOST_C_API __attribute__((visibility("default")))

/* The numbers never change; new ones may be added. */
typedef enum signpost_error {
  SIGNPOST_OK = 0,
  SIGNPOST_NOT_FOUND = 1,      /* there is no such service or name */
  SIGNPOST_NO_DATA = 2,        /* the name has no address of the wanted family */
  SIGNPOST_TIMED_OUT = 3,      /* no server answered in time */
  SIGNPOST_UNREACHABLE = 4,    /* no server could be reached */
  SIGNPOST_SERVER_FAILURE = 5, /* every server failed; one that is starting up does this */
  SIGNPOST_REFUSED = 6,        /* every server refused to answer this name */
  SIGNPOST_BAD_REPLY = 7,      /* what the servers sent is not a DNS message */
  SIGNPOST_BAD_NAME = 8,       /* name, port or protocol cannot be a DNS name */
  SIGNPOST_BAD_OPTIONS = 9,    /* an option makes no sense, or a pointer that must be set is NULL */
  SIGNPOST_CANCELLED = 10,     /* cancelled, or the client was closed */
  SIGNPOST_NO_RESOURCES = 11,  /* out of file descriptors, threads or memory */
  SIGNPOST_IN_CALLBACK = 12,   /* signpost_resolve was called from a callback */
  SIGNPOST_FORKED = 13,        /* the client belongs to the parent process */
  SIGNPOST_NO_PORT = 14,       /* the service exists, but has no port of that name and protocol */
  SIGNPOST_DEAD_ALIAS = 15     /* the name is an alias that leads nowhere */
} signpost_error;

typedef struct signpost_client signpost_client;
typedef struct signpost_result signpost_result;
typedef struct signpost_request signpost_request;

typedef struct signpost_options {
  size_t size;                /* sizeof(signpost_options) */
  const char *servers;        /* comma-separated "ADDR", "ADDR:PORT", "[ADDR]:PORT"; NULL: SIGNPOST_DNS, else resolv.conf */
  const char *name_space;     /* the own one; NULL: SIGNPOST_NAMESPACE, else from the search list, else "default" */
  const char *cluster_domain; /* NULL: SIGNPOST_CLUSTER_DOMAIN, else from the search list, else "cluster.local" */
  unsigned timeout_ms;        /* for one lookup; 0: 5000 */
  unsigned tries;             /* packets to each server; 0: 4 */
  unsigned delivery;          /* 0: callbacks run on the client's thread; 1: on the one that calls signpost_process */
  const char *resolv_conf;    /* followed when it changes; NULL: "/etc/resolv.conf" */
} signpost_options;

typedef struct signpost_query {
  size_t size;          /* sizeof(signpost_query) */
  const char *name;     /* "web", "web.shop", "web.shop.svc.cluster.local", "example.com." */
  const char *port;     /* name of a port (asks for SRV) or a number; NULL: none */
  const char *protocol; /* of the named port; NULL: "tcp" */
  int family;           /* 0: any, 4, 6 */
  unsigned timeout_ms;  /* 0: the client's */
} signpost_query;

typedef struct signpost_endpoint {
  size_t size;         /* sizeof(signpost_endpoint), set by the caller */
  const char *address; /* as text; valid as long as the result */
  const char *target;  /* the name that has the address; valid as long as the result */
  uint16_t port;       /* host byte order; 0: none was asked for */
  uint16_t priority;   /* of SRV */
  uint16_t weight;     /* of SRV */
  uint32_t ttl;        /* seconds */
  int family;          /* 4 or 6 */
  uint8_t bytes[16];   /* the address in network order; of IPv4 the first four */
  uint32_t scope_id;   /* interface of a link-local address, as sin6_scope_id; else 0 */
} signpost_endpoint;

/* Opens a client. `options` NULL: all defaults. Close with signpost_close. With SIGNPOST_BAD_OPTIONS *client may be set
 * as well: it is good for signpost_client_error and signpost_close only. Else *client is NULL where this fails. */
SIGNPOST_C_API signpost_error signpost_open(const signpost_options *options, signpost_client **client);
/* Cancels what is under way and returns when the last callback has. */
SIGNPOST_C_API void signpost_close(signpost_client *client);

/* One sentence on what is wrong with the options, or with the client being NULL; "": nothing. Valid as long as the
 * client. */
SIGNPOST_C_API const char *signpost_client_error(const signpost_client *client);
/* What of resolv.conf was not understood or left out: writes sentences, a line each, as snprintf would; returns the
 * octets that all of them take, without the last NUL. 0: nothing. */
SIGNPOST_C_API size_t signpost_client_warnings(const signpost_client *client, char *text, size_t size);

/* With delivery 1: a descriptor that is readable as long as callbacks wait for signpost_process. Not to be read or
 * closed; the same for the life of the client. -1: another delivery, or out of descriptors. */
SIGNPOST_C_API int signpost_fd(const signpost_client *client);
/* Runs the callbacks that wait, on this thread, one at a time; returns how many. 0 where nothing waits, where another
 * thread is at it, and within a callback. Callbacks may call anything, signpost_resolve and signpost_close included;
 * signpost_close runs those that still wait. signpost_resolve needs no signpost_process. */
SIGNPOST_C_API size_t signpost_process(signpost_client *client);

/* Blocks until there is an answer or the time is over. *result is set only with SIGNPOST_OK; free it with
 * signpost_result_free. */
SIGNPOST_C_API signpost_error signpost_resolve(signpost_client *client, const signpost_query *query,
                                               signpost_result **result);

/* Called exactly once, on the client's thread or by signpost_process. `result` is the callee's to free, and NULL unless error is SIGNPOST_OK. */
typedef void (*signpost_callback)(void *context, signpost_error error, signpost_result *result);
/* Returns at once. With SIGNPOST_OK the callback will be called, else it will not. `request` may be NULL; free it with
 * signpost_request_free, which does not cancel. The callback may run before this returns. */
SIGNPOST_C_API signpost_error signpost_resolve_async(signpost_client *client, const signpost_query *query,
                                                     signpost_callback callback, void *context,
                                                     signpost_request **request);
/* 1: the callback had not begun and will be called with SIGNPOST_CANCELLED. 0: too late. Does not wait. */
SIGNPOST_C_API int signpost_request_cancel(const signpost_request *request);
SIGNPOST_C_API void signpost_request_free(signpost_request *request);

SIGNPOST_C_API size_t signpost_result_count(const signpost_result *result);
/* Fills *endpoint, as much as its size says. SIGNPOST_NOT_FOUND: index is not below the count. */
SIGNPOST_C_API signpost_error signpost_result_endpoint(const signpost_result *result, size_t index,
                                                       signpost_endpoint *endpoint);
/* Writes address and port as connect(2) wants them; returns the length, 0 if index is not below the count. */
SIGNPOST_C_API socklen_t signpost_result_sockaddr(const signpost_result *result, size_t index,
                                                  struct sockaddr_storage *address);
/* The name that was asked for, and where its aliases lead; valid as long as the result. */
SIGNPOST_C_API const char *signpost_result_name(const signpost_result *result);
SIGNPOST_C_API const char *signpost_result_canonical(const signpost_result *result);
/* 1: something may be missing: an address family or a target was not answered in time, or did not fit a message. */
SIGNPOST_C_API int signpost_result_partial(const signpost_result *result);
SIGNPOST_C_API void signpost_result_free(signpost_result *result);

/* One sentence without a newline; never NULL, never freed. */
SIGNPOST_C_API const char *signpost_error_message(signpost_error error);
/* "0.1.0" */
SIGNPOST_C_API const char *signpost_version(void);

#ifdef __cplusplus
}
#endif
#endif
