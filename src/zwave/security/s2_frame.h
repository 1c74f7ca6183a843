/* The commands of the Security 2 command class (0x9f) that an inclusion consists of, without the encapsulation's sealing, which is s2_message.h.
 * Source: SDS13783; octets in network order. A device's Specific Key ("DSK") is the head of its public key, printed as eight groups of five digits. */
#ifndef KEYWAY_ZWAVE_SECURITY_S2_FRAME_H
#define KEYWAY_ZWAVE_SECURITY_S2_FRAME_H

#include "base/wr.h"
#include "zwave/security/s2_keys.h"

#define S2_CLASS 0x9f
#define S2_DSK 16
#define S2_DSK_TEXT 48   /* with its zero */
#define S2_FRAME_MAX 160 /* the longest application payload of Z-Wave */

enum s2_command {
	S2_NONCE_GET = 0x01,
	S2_NONCE_REPORT = 0x02,
	S2_ENCAPSULATION = 0x03,
	S2_KEX_GET = 0x04,
	S2_KEX_REPORT = 0x05,
	S2_KEX_SET = 0x06,
	S2_KEX_FAIL = 0x07,
	S2_PUBLIC_KEY_REPORT = 0x08,
	S2_NETWORK_KEY_GET = 0x09,
	S2_NETWORK_KEY_REPORT = 0x0a,
	S2_NETWORK_KEY_VERIFY = 0x0b,
	S2_TRANSFER_END = 0x0c,
};

/* Classes of keys, as the bits that stand for them. */
#define S2_UNAUTHENTICATED 0x01
#define S2_AUTHENTICATED 0x02
#define S2_ACCESS_CONTROL 0x04
#define S2_LEGACY_S0 0x80

enum s2_fail {
	S2_FAIL_KEY = 0x01,        /* no class in common */
	S2_FAIL_SCHEME = 0x02,
	S2_FAIL_CURVE = 0x03,
	S2_FAIL_DECRYPT = 0x05,
	S2_FAIL_CANCEL = 0x06,
	S2_FAIL_AUTH = 0x07,       /* an echo differs from what was said in clear: somebody stands between */
	S2_FAIL_GET = 0x08,        /* a class that was not granted */
	S2_FAIL_VERIFY = 0x09,
	S2_FAIL_REPORT = 0x0a,
};
const char *s2_fail_text(uint8_t fail); /* never NULL */

#define S2_SCHEME_1 0x02 /* bit 1 */
#define S2_CURVE25519 0x01

struct s2_kex {
	bool echo, csa;
	uint8_t reserved; /* the other bits of the first octet: they are echoed as they came */
	uint8_t schemes, curves, keys;
};

struct s2_frame {
	enum s2_command command;
	uint8_t sequence;           /* NONCE_GET, NONCE_REPORT */
	bool sos, mos;              /* NONCE_REPORT: single-cast, multicast out of sync */
	struct s2_entropy entropy;  /* NONCE_REPORT with sos */
	struct s2_kex kex;          /* KEX_REPORT, KEX_SET */
	uint8_t fail;               /* KEX_FAIL */
	bool including;             /* PUBLIC_KEY_REPORT: of the node that includes */
	struct x25519_point point;  /* PUBLIC_KEY_REPORT */
	uint8_t key;                /* NETWORK_KEY_GET, NETWORK_KEY_REPORT: one bit */
	struct secret *network_key; /* NETWORK_KEY_REPORT; the caller's, s2_frame_free */
	bool verified, complete;    /* TRANSFER_END */
};

/* ERR_SHORT, ERR_MALFORMED, ERR_UNSUPPORTED (another class or command, an encapsulation), ERR_NO_MEMORY. Nothing to free after an error. */
enum err s2_frame_decode(struct rd octets, struct s2_frame *f) MUST_CHECK;
void s2_frame_encode(const struct s2_frame *f, struct wr *w);
void s2_frame_free(struct s2_frame *f);
const char *s2_command_text(enum s2_command c); /* never NULL */

/* "34028-23669-...": ERR_MALFORMED. */
enum err s2_dsk_parse(struct rd text, uint8_t dsk[static S2_DSK]) MUST_CHECK;
void s2_dsk_print(const uint8_t dsk[static S2_DSK], char text[static S2_DSK_TEXT]);

#endif
