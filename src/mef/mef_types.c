/* The MEF's records. */
#include "mef/mef_types.h"

#include <stdlib.h>

const char *device_state_name(enum device_state s)
{
	static const char *const names[] = {
		[DEVICE_REGISTERED] = "registered",
		[DEVICE_OFFERED] = "offered",
		[DEVICE_JOINED] = "joined",
		[DEVICE_VERIFIED] = "verified",
		[DEVICE_FAILED] = "failed",
		[DEVICE_REMOVED] = "removed",
	};

	return names[s];
}

void mef_generation_free(struct mef_generation *g)
{
	if (!g)
		return;
	secret_free(g->network);
	trust_centre_clear(&g->tc);
	free(g);
}

void mef_device_free(struct mef_device *d)
{
	if (!d)
		return;
	secret_free(d->install);
	mef_generation_free(d->present);
	mef_generation_free(d->former);
	free(d);
}

void mef_application_free(struct mef_application *a)
{
	if (!a)
		return;
	secret_free(a->network);
	free(a);
}

void mef_gateway_free(struct mef_gateway *g)
{
	if (!g)
		return;
	rate_clear(&g->noise.rate);
	free(g);
}
