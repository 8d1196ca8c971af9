/* What the test of the C interface calls: each returns NULL, or what went wrong. */
#ifndef EXERCISE_H
#define EXERCISE_H
#ifdef __cplusplus
extern "C" {
#endif
const char *exercise_blocking(const char *servers);
const char *exercise_sizes(const char *servers);
const char *exercise_mistakes(const char *servers);
const char *exercise_async(const char *servers);
const char *exercise_poll(const char *servers);
const char *exercise_resolv_conf(const char *servers);
#ifdef __cplusplus
}
#endif
#endif
