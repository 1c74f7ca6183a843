/* What is read as a Credential-ID or a key identifier is written again as the same text, equals itself, and has a domain name behind the `@`. */
#include "../fuzz.h"

#include "security/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd text = rd_of(data, size);
	char printed[CREDENTIAL_ID_MAX];
	struct credential_id id;
	struct key_id key;

	if (credential_id_parse(text, &id) == OK) {
		MUST(credential_id_print(id.type, id.value, printed) == OK);
		MUST(rd_is(text, printed));
		MUST(credential_id_equal(text, text));
	}
	if (key_id_split(text, &key) == OK) {
		MUST(key.relative.left + 1 + key.fqdn.left == size);
		MUST(fqdn_valid(key.fqdn) && key_id_equal(text, text, false));
		MUST(credential_id_of_key(CREDENTIAL_KPM, text, printed) == OK);
		MUST(credential_id_parse(rd_str(printed), &id) == OK);
	}
	return 0;
}
