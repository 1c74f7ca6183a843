/* remoteCSE: registration of a CSE. TS-0004 clause 7.4.4.2. */
#include <stdio.h>
#include <string.h>

#include "cse/types/types.h"

static enum hook_result csr_create(struct creation *cr)
{
	struct exchange *x = cr->x;
	char csi[CSE_ID_MAX];
	struct resource *other;

	if (!json_text(json_get(cr->given, "csi"), csi, sizeof csi) || csi[0] != '/' || csi[1] == '\0' || strchr(csi + 1, '/')) {
		exchange_fail(x, RSC_BAD_REQUEST, "`csi`: a CSE-ID is one name behind one `/`");
		return HOOK_FAILED;
	}
	if (!x->privileged && strcmp(csi, x->from) != 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "`csi` must be the originator's own CSE-ID");
		return HOOK_FAILED;
	}
	if (strcmp(csi, x->cse->config.id) == 0) {
		exchange_fail(x, RSC_BAD_REQUEST, "`csi`: a CSE does not register with itself");
		return HOOK_FAILED;
	}
	if (!x->privileged && x->cse->config.cse_originators && !cse_list_matches(x->cse->config.cse_originators, csi)) {
		exchange_fail(x, RSC_OPERATION_DENIED_BY_REMOTE_ENTITY, "the CSE `%s` may not register here", csi);
		return HOOK_FAILED;
	}
	other = tree_by_ri(x->cse->tree, rd_str(csi + 1));
	if (other) {
		resource_unref(other);
		exchange_fail(x, RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, "the CSE `%s` is registered already", csi);
		return HOOK_FAILED;
	}
	snprintf(cr->ri, sizeof cr->ri, "%.127s", csi + 1);
	cr->own_ri = true;
	snprintf(cr->creator, sizeof cr->creator, "%s", csi);
	return HOOK_GO;
}

const struct type_hooks hooks_remote_cse = {.type = TY_REMOTE_CSE, .create = csr_create};
