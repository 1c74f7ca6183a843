/* jansson's opinion of a text, in a file of its own because its names are ours. */
#include <jansson.h>

#include <stdbool.h>

bool oracle_accepts(const char *text);

bool oracle_accepts(const char *text)
{
	json_t *v = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool good = v != NULL;

	json_decref(v);
	return good;
}
