/* A request that is read has a name that a line of the index can hold, and is read the same again. */
#include <stdlib.h>
#include <string.h>

#include "pki/ca.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	struct csr c, again;

	if (csr_read(rd_of(data, size), &c, &why) != OK) {
		if (!why || c.request)
			abort();
		return 0;
	}
	if (!c.name[0] || strpbrk(c.name, " \t\r\n*") || strpbrk(c.common_name, "\t\r\n") || csr_read(rd_of(data, size), &again, &why) != OK ||
	    strcmp(c.name, again.name) != 0)
		abort();
	csr_clear(&c);
	csr_clear(&again);
	return 0;
}
