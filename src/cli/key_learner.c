/* Learning keys from a capture. */
#include "cli/key_learner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ieee802154/mac_frame.h"
#include "keys/secret_octets.h"
#include "zigbee/security/install_code.h"
#include "zigbee/security/nwk_security.h"

#define MAGIC_MICROS 0xa1b2c3d4U
#define LINKTYPE_WITHFCS 195
#define LINKTYPE_NOFCS 230
#define RECORD_MAX 65536

void key_learner_init(struct key_learner *k)
{
	memset(k, 0, sizeof *k);
}

void key_learner_clear(struct key_learner *k)
{
	for (size_t i = 0; i < k->link_count; i++)
		link_key_set_clear(&k->links[i]);
	for (size_t i = 0; i < k->network_count; i++)
		secret_free(k->networks[i]);
	k->link_count = k->network_count = 0;
}

static enum err add_link(struct key_learner *k, struct secret *key)
{
	for (size_t i = 0; i < k->link_count; i++) {
		if (secret_equal(k->links[i].link, key)) {
			secret_free(key);
			return OK;
		}
	}
	if (k->link_count == LEARNER_KEYS) {
		secret_free(key);
		return ERR_FULL;
	}
	return link_key_set_take(&k->links[k->link_count++], key);
}

static enum err add_network(struct key_learner *k, struct secret *key)
{
	for (size_t i = 0; i < k->network_count; i++) {
		if (secret_equal(k->networks[i], key)) {
			secret_free(key);
			return OK;
		}
	}
	if (k->network_count == LEARNER_KEYS) {
		secret_free(key);
		return ERR_FULL;
	}
	k->networks[k->network_count++] = key;
	return OK;
}

enum err key_learner_install_code(struct key_learner *k, const char *text)
{
	struct secret *code, *link;
	enum err e = install_code_parse(rd_str(text), &code);

	if (e != OK)
		return e;
	e = install_code_link_key(code, &link);
	secret_free(code);
	return e == OK ? add_link(k, link) : e;
}

enum err key_learner_key(struct key_learner *k, const char *hex)
{
	uint8_t octets[SECRET_AES128];
	struct secret *key;
	enum err e;
	size_t len;

	if (!hex_parse_loose(rd_str(hex), octets, sizeof octets, &len) || len != sizeof octets)
		return ERR_MALFORMED;
	key = secret_take(octets, sizeof octets);
	if (!key)
		return ERR_NO_MEMORY;
	e = add_network(k, secret_dup(key));
	return e == OK ? add_link(k, key) : e;
}

static void learn(struct key_learner *k, struct rd payload)
{
	uint8_t octets[SECRET_AES128];
	struct aps_command c;
	struct secret *key;
	struct rd in;
	enum err e;

	if (aps_command_decode(payload, &c) != OK || c.id != APS_TRANSPORT_KEY)
		return;
	in = c.transport_key.key_octets;
	if (!rd_copy(&in, octets, sizeof octets))
		return;
	key = secret_take(octets, sizeof octets);
	if (!key)
		return;
	e = c.transport_key.type == APS_KEY_STANDARD_NETWORK ? add_network(k, key) : add_link(k, key);
	if (e != OK)
		fprintf(stderr, "keyway: more keys than %d in this capture; the rest is left out\n", LEARNER_KEYS);
}

static bool open_nwk(struct key_learner *k, const struct nwk_frame *f, struct opened_frame *o)
{
	struct aux_header aux;

	for (size_t i = 0; i < k->network_count; i++)
		if (nwk_open(k->networks[i], f, &aux, o->nwk_plain, &o->nwk) == OK)
			return true;
	return false;
}

static bool open_aps(struct key_learner *k, struct opened_frame *o)
{
	struct rd sealed = o->aps_frame.payload;
	struct aux_header aux, seen;

	if (!aux_header_decode(&sealed, &aux))
		return false;
	o->aps_key = aux.key_id;
	for (size_t i = 0; i < k->link_count; i++)
		if (aps_open_set(&k->links[i], aux.source, &o->aps_frame, &seen, o->aps_plain, &o->aps) == OK)
			return true;
	return false;
}

bool key_learner_frame(struct key_learner *k, const struct nwk_frame *f, struct opened_frame *o)
{
	o->nwk_opened = o->aps_opened = o->has_aps = false;
	o->nwk = f->payload;
	if (f->security && !open_nwk(k, f, o))
		return true;
	o->nwk_opened = true;
	if (f->type != NWK_DATA || aps_frame_decode(o->nwk, &o->aps_frame) != OK)
		return true;
	o->has_aps = true;
	o->aps = o->aps_frame.payload;
	o->aps_opened = !o->aps_frame.security || open_aps(k, o);
	if (o->aps_opened && o->aps_frame.type == APS_COMMAND)
		learn(k, o->aps);
	return true;
}

/* ---- captures ---- */

static bool read_exactly(FILE *f, void *octets, size_t len)
{
	return fread(octets, 1, len, f) == len;
}

static enum err read_records(FILE *f, uint32_t linktype, capture_fn *fn, void *ctx)
{
	uint8_t header[16], *octets = malloc(RECORD_MAX);
	enum err e = OK;

	if (!octets)
		return ERR_NO_MEMORY;
	for (size_t number = 1; read_exactly(f, header, sizeof header); number++) {
		struct rd r = rd_of(header, sizeof header), frame;
		uint32_t seconds, micros, len;
		bool right = true;

		if (!rd_le32(&r, &seconds) || !rd_le32(&r, &micros) || !rd_le32(&r, &len) || len > RECORD_MAX || !read_exactly(f, octets, len)) {
			e = ERR_MALFORMED;
			break;
		}
		frame = rd_of(octets, len);
		if (linktype == LINKTYPE_WITHFCS) {
			right = mac_fcs_check(frame, &frame) == OK;
			if (!right)
				frame.left -= frame.left < 2 ? frame.left : 2;
		}
		if (!fn(ctx, number, seconds + micros / 1e6, frame, right))
			break;
	}
	free(octets);
	return e;
}

enum err capture_each(const char *path, capture_fn *fn, void *ctx)
{
	FILE *f = fopen(path, "rb");
	uint8_t header[24];
	struct rd r = rd_of(header, sizeof header);
	uint32_t magic, linktype;
	enum err e = ERR_MALFORMED;

	if (!f)
		return ERR_NOT_FOUND;
	if (read_exactly(f, header, sizeof header) && rd_le32(&r, &magic) && magic == MAGIC_MICROS && rd_skip(&r, 16) && rd_le32(&r, &linktype) &&
	    (linktype == LINKTYPE_WITHFCS || linktype == LINKTYPE_NOFCS))
		e = read_records(f, linktype, fn, ctx);
	fclose(f);
	return e;
}

static bool on_frame(void *ctx, size_t number, double seconds, struct rd frame, bool fcs_right)
{
	struct opened_frame o;
	struct mac_frame mac;
	struct nwk_frame nwk;

	(void)number;
	(void)seconds;
	if (fcs_right && mac_frame_decode(frame, &mac) == OK && mac.type == MAC_DATA && nwk_frame_decode(mac.payload, &nwk) == OK)
		(void)key_learner_frame(ctx, &nwk, &o);
	return true;
}

enum err key_learner_capture(struct key_learner *k, const char *path)
{
	enum err e = capture_each(path, on_frame, k);

	return e == OK ? capture_each(path, on_frame, k) : e;
}

static void write_key(FILE *f, const struct secret *key, const char *label, size_t number)
{
	const uint8_t *o = secret_octets(key);

	fputc('"', f);
	for (size_t i = 0; i < SECRET_AES128; i++)
		fprintf(f, "%s%02X", i ? ":" : "", o[i]);
	fprintf(f, "\",\"Normal\",\"%s %zu\"\n", label, number);
}

enum err key_learner_write(const struct key_learner *k, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	for (size_t i = 0; i < k->link_count; i++)
		write_key(f, k->links[i].link, "link", i + 1);
	for (size_t i = 0; i < k->network_count; i++)
		write_key(f, k->networks[i], "network", i + 1);
	return fclose(f) == 0 ? OK : ERR_IO;
}

enum err key_learner_export(const char *pcap, const char *const codes[], size_t count, const char *path)
{
	struct key_learner *k = calloc(1, sizeof *k);
	enum err e = k ? OK : ERR_NO_MEMORY;

	if (!k)
		return e;
	for (size_t i = 0; e == OK && i < count; i++)
		e = key_learner_install_code(k, codes[i]);
	if (e == OK)
		e = key_learner_capture(k, pcap);
	if (e == OK)
		e = key_learner_write(k, path);
	key_learner_clear(k);
	free(k);
	return e;
}
