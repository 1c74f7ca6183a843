/* Names and sentences of the error reasons. */
#include "base/err.h"

#include <stddef.h>

#define ERR_TEXT(name, text) text,
#define ERR_NAME(name, text) #name,
static const char *const texts[] = {ERR_LIST(ERR_TEXT)};
static const char *const names[] = {ERR_LIST(ERR_NAME)};

const char *err_text(enum err e)
{
	return (size_t)e < sizeof texts / sizeof texts[0] ? texts[e] : "unknown error";
}

const char *err_name(enum err e)
{
	return (size_t)e < sizeof names / sizeof names[0] ? names[e] : "ERR_UNKNOWN";
}
