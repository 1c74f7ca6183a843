/* BootstrappingInfo: what is read is written again so that it reads the same. */
#include <string.h>

#include "../fuzz.h"
#include "gba/bootstrapping_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char octets[2 * BOOTSTRAPPING_INFO_MAX];
	struct bootstrapping_info i, again;
	struct wr w = wr_of(octets, sizeof octets);
	struct rd r;

	memset(&i, 0, sizeof i);
	memset(&again, 0, sizeof again);
	if (bootstrapping_info_parse(rd_of(data, size), &i) != OK)
		return 0;
	bootstrapping_info_print(&w, &i);
	MUST(wr_done(&w, &r) && bootstrapping_info_parse(r, &again) == OK);
	MUST(strcmp(i.btid, again.btid) == 0 && i.expires_at == again.expires_at);
	return 0;
}
