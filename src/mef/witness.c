/* Nodes B as witnesses of the audit log: each keeps, on its own host, where the log ended when it asked last. Who puts old copies of the log and of
 * registry.db back together makes a chain that fits; but not one that has the lines of which somebody else was told. */
#include "mef/mef.h"

#include <stdio.h>
#include <string.h>

#include "loop/log.h"

static bool fits(const struct mef *m, const struct audit_head *known)
{
	struct audit_head then;

	return known->last == 0 || (audit_head_at(m->audit, known->last, &then) == OK && memcmp(then.hash, known->hash, sizeof then.hash) == 0);
}

bool mef_witness(struct mef *m, const char *client, const struct audit_head *known, struct audit_head *now)
{
	bool good = fits(m, known);
	char detail[80];

	if (!good && mef_noise_permits(m, &m->noise, NULL)) {
		snprintf(detail, sizeof detail, "line %llu", (unsigned long long)known->last);
		log_line(LOG_LEVEL_ERROR, "the audit log is not the one that a node was told of: an old copy was put back, or lines were changed", "client=%s line=%llu", client,
		    (unsigned long long)known->last);
		(void)mef_audit(m, "audit log is not what its witness knows", 0, NULL, client, detail);
	}
	audit_head(m->audit, now);
	return good;
}
