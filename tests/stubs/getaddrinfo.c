/* The C library's own resolver: prints the addresses of a name, one a line.
 *
 * usage: getaddrinfo any|4|6 NAME
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  struct addrinfo hints, *list = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = strcmp(arguments[1], "4") == 0   ? AF_INET
                    : strcmp(arguments[1], "6") == 0 ? AF_INET6
                                                     : AF_UNSPEC;
  const int error = getaddrinfo(arguments[2], "80", &hints, &list);
  if (error == EAI_NONAME || error == -5 /* EAI_NODATA of glibc */) {
    puts("not found");
    return 0;
  }
  if (error != 0) {
    printf("error: %s\n", gai_strerror(error));
    return 1;
  }
  for (const struct addrinfo* one = list; one != NULL; one = one->ai_next) {
    char text[INET6_ADDRSTRLEN];
    const void* address = one->ai_family == AF_INET
                              ? (const void*)&((const struct sockaddr_in*)(const void*)one->ai_addr)->sin_addr
                              : (const void*)&((const struct sockaddr_in6*)(const void*)one->ai_addr)->sin6_addr;
    puts(inet_ntop(one->ai_family, address, text, sizeof text));
  }
  freeaddrinfo(list);
  return 0;
}
