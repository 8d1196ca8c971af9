/* c-ares: prints the addresses of a name, one a line.
 *
 * usage: cares any|4|6 NAME
 */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

static int exit_code = 0;

static void on_answer(void* unused, int status, int timeouts, struct ares_addrinfo* list) {
  (void)unused;
  (void)timeouts;
  if (status == ARES_ENOTFOUND || status == ARES_ENODATA) {
    puts("not found");
  } else if (status != ARES_SUCCESS) {
    printf("error: %s\n", ares_strerror(status));
    exit_code = 1;
  } else {
    for (const struct ares_addrinfo_node* one = list->nodes; one != NULL; one = one->ai_next) {
      char text[INET6_ADDRSTRLEN];
      const void* address = one->ai_family == AF_INET
                                ? (const void*)&((const struct sockaddr_in*)(const void*)one->ai_addr)->sin_addr
                                : (const void*)&((const struct sockaddr_in6*)(const void*)one->ai_addr)->sin6_addr;
      puts(inet_ntop(one->ai_family, address, text, sizeof text));
    }
  }
  if (list != NULL) ares_freeaddrinfo(list);
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  ares_channel channel;
  if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS || ares_init(&channel) != ARES_SUCCESS) return 1;
  struct ares_addrinfo_hints hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = strcmp(arguments[1], "4") == 0   ? AF_INET
                    : strcmp(arguments[1], "6") == 0 ? AF_INET6
                                                     : AF_UNSPEC;
  ares_getaddrinfo(channel, arguments[2], NULL, &hints, on_answer, NULL);
  for (;;) {
    fd_set readers, writers;
    struct timeval wait, *timeout;
    FD_ZERO(&readers);
    FD_ZERO(&writers);
    const int descriptors = ares_fds(channel, &readers, &writers);
    if (descriptors == 0) break;
    timeout = ares_timeout(channel, NULL, &wait);
    select(descriptors, &readers, &writers, NULL, timeout);
    ares_process(channel, &readers, &writers);
  }
  ares_destroy(channel);
  ares_library_cleanup();
  return exit_code;
}
