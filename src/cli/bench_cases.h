/* What the files of the measurements of `keyway bench cse` share. */
#ifndef KEYWAY_CLI_BENCH_CASES_H
#define KEYWAY_CLI_BENCH_CASES_H

#include "cli/bench_cse.h"

#define HEAD(method, path) method " " path " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-M2M-Origin: CAdmin\r\nX-M2M-RI: ############\r\nX-M2M-RVI: 3\r\n"
#define CREATE(path, ty) HEAD("POST", path) "Content-Type: application/json;ty=" ty "\r\n"
/* What a small sensor sends; the time is in front, for the subscriber. */
#define INSTANCE "{\"m2m:cin\":{\"con\":\"@@@@@@@@@@@@@@@@@@@@ temperature 21.50 humidity 40.25 battery 97\"}}"
#define ANSWER_MAX (4 * 1024 * 1024)

double bench_warm_seconds(const struct bench *b);
struct load_options bench_load_of(struct bench *b, unsigned connections, struct load_template *t, unsigned expect);
bool bench_measure(struct bench *b, const char *name, const struct load_options *o);
bool bench_plain_tree(struct bench *b); /* an empty CSE, with a container below an AE */

/* bench_trees.c */
bool bench_discover(struct bench *b);
bool bench_start(struct bench *b);

#endif
