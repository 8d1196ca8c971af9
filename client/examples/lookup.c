/* Prints the endpoints of a service.  usage: lookup_c NAME [PORT [PROTOCOL]] */
#include <signpost/signpost.h>
#include <stdio.h>

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: lookup_c NAME [PORT [PROTOCOL]]\n");
    return 2;
  }
  signpost_client *client;
  signpost_error error = signpost_open(NULL, &client);
  if (error != SIGNPOST_OK) {
    fprintf(stderr, "signpost: %s: %s\n", signpost_error_message(error), signpost_client_error(client));
    signpost_close(client);
    return 1;
  }
  signpost_query query = {.size = sizeof query, .name = argv[1]};
  if (argc > 2) query.port = argv[2];
  if (argc > 3) query.protocol = argv[3];

  signpost_result *found;
  error = signpost_resolve(client, &query, &found);
  if (error != SIGNPOST_OK) {
    fprintf(stderr, "%s: %s\n", argv[1], signpost_error_message(error));
    signpost_close(client);
    return error == SIGNPOST_NOT_FOUND ? 3 : 1;
  }
  for (size_t i = 0; i < signpost_result_count(found); i++) {
    signpost_endpoint e = {.size = sizeof e};
    signpost_result_endpoint(found, i, &e);
    printf("%s %u %s\n", e.address, e.port, e.target);
  }
  signpost_result_free(found);
  signpost_close(client);
  return 0;
}
