/* The M2M Authentication Function: a registry of SUID 32 to 35 (key_registry), whose clients come with Km, with a certificate, or with a key that a
 * MEF provisioned for us (TS-0003 8.8). What is its own is the last of these: */
#ifndef KEYWAY_MAF_MAF_H
#define KEYWAY_MAF_MAF_H

#include "credentials/credentials.h"
#include "key_registry/registry.h"

struct maf_assigner {
	struct credentials *store;
	struct rng *rng;
	const char *fqdn;
};

/* As struct registry_config's `assign`; ctx is a maf_assigner. A client that came under KeID, a key of ours from the MEF, gets a KmID, and the key is
 * kept as its Km under that name, until it ends (8.8.2: assignedSymmKeyID): another key, another name. For any other credential nothing is assigned. */
enum err maf_assign(void *ctx, const char *client, const char *credential, uint64_t expires_at, char km_id[static KEY_ID_MAX]) MUST_CHECK;

/* Its `stands`: a Km that has our name is in the store, and not over. Those of a MEF or a BSF, and certificates, are not ours to judge. */
enum err maf_stands(void *ctx, const char *credential, char key_name[static REGISTRY_KEY_NAME]) MUST_CHECK;

#endif
