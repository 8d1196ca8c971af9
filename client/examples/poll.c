/* Looks names up in a loop of the program's own: poll says when, signpost_process calls back.  usage: poll NAME… */
#include <poll.h>
#include <signpost/signpost.h>
#include <stdio.h>

static void print(void *context, signpost_error error, signpost_result *found) {
  const char *name = context;
  if (error != SIGNPOST_OK) printf("%s: %s\n", name, signpost_error_message(error));
  for (size_t i = 0; i < signpost_result_count(found); i++) {
    signpost_endpoint e = {.size = sizeof e};
    signpost_result_endpoint(found, i, &e);
    printf("%s: %s\n", name, e.address);
  }
  signpost_result_free(found);
}

int main(int argc, char **argv) {
  const signpost_options options = {.size = sizeof options, .delivery = 1};
  signpost_client *client;
  if (signpost_open(&options, &client) != SIGNPOST_OK) {
    fprintf(stderr, "signpost: %s\n", signpost_client_error(client));
    signpost_close(client);
    return 1;
  }
  size_t left = 0;
  for (int i = 1; i < argc; i++) {
    signpost_query query = {.size = sizeof query, .name = argv[i]};
    if (signpost_resolve_async(client, &query, print, argv[i], NULL) == SIGNPOST_OK) left++;
  }
  struct pollfd entry = {.fd = signpost_fd(client), .events = POLLIN}; /* beside all others of the program */
  while (left > 0 && poll(&entry, 1, -1) >= 0) left -= signpost_process(client);
  signpost_close(client);
  return 0;
}
