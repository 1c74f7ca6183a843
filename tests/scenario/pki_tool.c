/* Certificates for a scenario: pki_tool DIR NAME=IDENTITY ...  makes ca.pem, and NAME.pem and NAME.key for each. */
#include <string.h>

#include "pki/pki.h"

int main(int argc, char **argv)
{
	if (argc < 2 || pki_ca_create(argv[1], "scenario", 2) != OK)
		return 1;
	for (int i = 2; i < argc; i++) {
		char *identity = strchr(argv[i], '=');

		if (!identity)
			return 2;
		*identity++ = '\0';
		if (pki_issue(argv[1], argv[i], identity, 2) != OK)
			return 1;
	}
	return 0;
}
