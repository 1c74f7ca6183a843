/* Lines of questions on standard input, lines of answers on standard output: what judge_test.py compares with other implementations.
 *
 *	milenage K OP RAND SQN AMF       -> OPC AUTN RES CK IK SRES KC
 *	auts K OP RAND SQN_MS            -> AUTS
 *	naf KIND CK IK RAND IMPI FQDN UA -> KEY        KIND: me, ext, int
 *	prime CK IK NETWORK AUTN         -> CK' IK'
 *	digest PASSWORD QOP METHOD URI BODY USER REALM NONCE NC CNONCE -> RESPONSE    "-" stands for nothing */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/http_digest.h"
#include "crypto/milenage.h"
#include "crypto/gba_u.h"
#include "gba/gba_kdf.h"
#include "gba/usim.h"
#include "keys/secret_octets.h"

#define WORDS 12

static void require(bool b)
{
	if (!b) {
		fputs("not understood\n", stderr);
		exit(1);
	}
}

static struct secret *secret_of(const char *hex)
{
	uint8_t octets[SECRET_MAX];
	size_t len = strlen(hex) / 2;

	require(len <= sizeof octets && hex_parse(rd_str(hex), octets, len));
	return secret_take(octets, len);
}

static void octets_of(const char *hex, uint8_t *octets, size_t len)
{
	require(hex_parse(rd_str(hex), octets, len));
}

static void print(const void *octets, size_t len)
{
	char text[HEX_SIZE(SECRET_MAX)];

	hex_print(text, octets, len);
	printf("%s ", text);
}

static void print_secret(struct secret *s)
{
	print(secret_octets(s), secret_len(s));
	secret_free(s);
}

/* The AUTN is made here, so that it is the octets of clause 6.3.2 that are judged, and the USIM of ours must take it. */
static void milenage(char **w)
{
	struct secret *k = secret_of(w[0]), *op = secret_of(w[1]), *opc = NULL;
	uint8_t rand[16], mac_a[8], mac_s[8], autn[16];
	struct usim_answer a;
	struct sim_triplet t;
	struct usim u = {0};
	struct milenage_keys keys;
	uint64_t sqn = strtoull(w[3], NULL, 16);
	uint16_t amf = (uint16_t)strtoul(w[4], NULL, 16);

	octets_of(w[2], rand, sizeof rand);
	require(milenage_opc(k, op, &opc) == OK);
	struct milenage m = {k, opc};
	require(milenage_keys(&m, rand, &keys) == OK);
	milenage_mac(&m, rand, sqn, amf, mac_a, mac_s);
	for (size_t i = 0; i < 6; i++)
		autn[i] = (uint8_t)(sqn >> (40 - 8 * i)) ^ keys.ak[i];
	autn[6] = (uint8_t)(amf >> 8);
	autn[7] = (uint8_t)amf;
	memcpy(autn + 8, mac_a, 8);
	milenage_keys_clear(&keys);
	u.k = secret_dup(k);
	u.opc = secret_dup(opc);
	for (unsigned i = 0; i < SQN_SLOTS; i++)
		u.window.seq[i] = sqn_seq(sqn) - 1;
	require(usim_authenticate(&u, rand, autn, &a) == OK && a.verdict == USIM_ACCEPTED && usim_gsm(&u, rand, &t) == OK);
	print_secret(opc);
	print(autn, sizeof autn);
	print_secret(a.res);
	print_secret(a.ck);
	print_secret(a.ik);
	print_secret(t.sres);
	print_secret(t.kc);
	usim_clear(&u);
	secret_free(k);
	secret_free(op);
}

static void auts(char **w)
{
	struct secret *op = secret_of(w[1]);
	struct auc_subscriber s = {.sqn = 0};
	struct rng rng = rng_seeded(1);
	struct usim_answer a;
	struct aka_vector v;
	uint64_t sqn = strtoull(w[3], NULL, 16);
	uint8_t rand[16];
	struct usim u = {0};

	u.k = secret_of(w[0]);
	require(milenage_opc(u.k, op, &u.opc) == OK);
	for (unsigned i = 0; i < SQN_SLOTS; i++)
		u.window.seq[i] = i == sqn_ind(sqn) ? sqn_seq(sqn) : sqn_seq(sqn) - 1;
	octets_of(w[2], rand, sizeof rand);
	/* A vector for this RAND that is too old: the centre's, which draws its own, will not do. */
	s.k = secret_dup(u.k);
	s.opc = secret_dup(u.opc);
	require(auc_vector(&s, &rng, &v) == OK);
	{
		struct milenage m = {u.k, u.opc};
		struct milenage_keys keys;
		uint8_t mac_s[8], autn[16] = {0};

		require(milenage_keys(&m, rand, &keys) == OK);
		memcpy(autn, keys.ak, 6); /* SQN 0 */
		milenage_mac(&m, rand, 0, 0, autn + 8, mac_s);
		milenage_keys_clear(&keys);
		require(usim_authenticate(&u, rand, autn, &a) == OK && a.verdict == USIM_SYNC_FAILURE);
	}
	print(a.auts, sizeof a.auts);
	aka_vector_clear(&v);
	auc_subscriber_clear(&s);
	usim_clear(&u);
	secret_free(op);
}

/* IK, MAC, RES: MAC* and the RES of GBA_U. */
static void gba_u(char **w)
{
	struct secret *ik = secret_of(w[0]), *res = secret_of(w[2]), *flipped = gba_u_res(res);
	uint8_t mac[GBA_U_MAC];

	octets_of(w[1], mac, sizeof mac);
	gba_u_mac(ik, mac);
	print(mac, sizeof mac);
	print_secret(flipped);
	secret_free(ik);
	secret_free(res);
}

static void naf(char **w)
{
	struct secret *ck = secret_of(w[1]), *ik = secret_of(w[2]), *ks = gba_ks(ck, ik), *key;
	enum naf_key kind = strcmp(w[0], "me") == 0 ? KS_NAF : strcmp(w[0], "ext") == 0 ? KS_EXT_NAF
											: KS_INT_NAF;
	uint8_t rand[16], ua[UA_ID];

	octets_of(w[3], rand, sizeof rand);
	octets_of(w[6], ua, sizeof ua);
	require(gba_naf_key(kind, ks, rand, w[4], w[5], ua, &key) == OK);
	print_secret(key);
	secret_free(ks);
	secret_free(ck);
	secret_free(ik);
}

static void prime(char **w)
{
	struct secret *ck = secret_of(w[0]), *ik = secret_of(w[1]), *c, *i;
	uint8_t autn[16];

	octets_of(w[3], autn, sizeof autn);
	require(aka_prime_keys(ck, ik, w[2], autn, &c, &i) == OK);
	print_secret(c);
	print_secret(i);
	secret_free(ck);
	secret_free(ik);
}

static struct rd text(const char *word)
{
	return rd_str(strcmp(word, "-") == 0 ? "" : word);
}

static void digest(char **w)
{
	struct http_digest d = {.auth_int = strcmp(w[1], "auth-int") == 0, .method = text(w[2]), .uri = text(w[3]), .body = text(w[4]), .username = text(w[5]), .realm = text(w[6]), .nonce = text(w[7]), .nc = text(w[8]), .cnonce = text(w[9])};
	struct secret *password = strcmp(w[0], "-") == 0 ? NULL : secret_of(w[0]);
	char response[HTTP_DIGEST_SIZE];

	http_digest(&d, password, response);
	printf("%s ", response);
	secret_free(password);
}

static const struct {
	const char *name;
	int words;
	void (*fn)(char **words);
} questions[] = {{"milenage", 5, milenage}, {"auts", 4, auts}, {"gbau", 3, gba_u}, {"naf", 7, naf}, {"prime", 4, prime}, {"digest", 10, digest}};

int main(void)
{
	char line[2048];

	while (fgets(line, sizeof line, stdin)) {
		char *words[WORDS];
		int n = 0;
		bool found = false;

		for (char *w = strtok(line, " \n"); w && n < WORDS; w = strtok(NULL, " \n"))
			words[n++] = w;
		for (size_t i = 0; n > 0 && i < sizeof questions / sizeof questions[0]; i++)
			if (strcmp(questions[i].name, words[0]) == 0 && questions[i].words == n - 1) {
				questions[i].fn(words + 1);
				found = true;
			}
		require(found);
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}
