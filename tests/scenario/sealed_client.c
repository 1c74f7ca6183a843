/* The client library's sealed requests, for esprim_test.py: URL FROM CSE RECEIVER KEY-ID KEY-FILE CONTAINER WORD
 * creates a contentInstance with the word, reads it back, and asks for what may not be had. One line for each answer. */
#include <stdio.h>
#include <string.h>

#include "keyway/client.h"

static void say(const struct keyway_answer *a)
{
	printf("%d %d %s\n", (int)a->failure, a->rsc, a->content[0] ? a->content : a->why);
}

int main(int argc, char **argv)
{
	char why[KEYWAY_WHY_SIZE], content[512], latest[512];
	struct keyway_answer a;
	struct keyway *k;

	if (argc != 9)
		return 2;
	k = keyway_open(&(struct keyway_options){.url = argv[1], .from = argv[2], .cse = argv[3]}, why, sizeof why);
	if (!k) {
		puts(why);
		return 1;
	}
	keyway_call_sealed(k, &(struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = argv[7]}, &a);
	say(&a);
	if (keyway_seal(k, &(struct keyway_sealing){argv[4], argv[5], argv[6]}, why, sizeof why) != 0) {
		puts(why);
		keyway_close(k);
		return 1;
	}
	snprintf(content, sizeof content, "{\"m2m:cin\":{\"con\":\"%s\"}}", argv[8]);
	snprintf(latest, sizeof latest, "%s/la", argv[7]);
	keyway_call_sealed(k, &(struct keyway_request){.operation = KEYWAY_CREATE, .to = argv[7], .type = 4, .content = content, .query = "rcn=0"}, &a);
	say(&a);
	keyway_call_sealed(k, &(struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = latest, .query = "atrl=con"}, &a);
	say(&a);
	keyway_call_sealed(k, &(struct keyway_request){.operation = KEYWAY_RETRIEVE, .to = argv[7], .from = "/id-mn/Cother"}, &a);
	say(&a);
	keyway_call_sealed(k, &(struct keyway_request){.operation = KEYWAY_DELETE, .to = "/id-in/cse-in/nothing"}, &a);
	say(&a);
	keyway_close(k);
	return 0;
}
