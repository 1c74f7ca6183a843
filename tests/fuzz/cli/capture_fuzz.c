/* Any file as a capture, or a capture of sealed frames with any content, with an install code and a key at hand: frames come in order and are no
 * longer than the file; what is learnt fits; and a capture that can be read is printed to its end. Input: 0 and a file, or 1 and the payloads of NWK
 * frames, each behind its length, whose highest bit says that it is a command. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/key_learner.h"
#include "ieee802154/mac_frame.h"
#include "zigbee/security/nwk_security.h"
#include "../fuzz.h"

struct seen {
	size_t frames, octets, size;
};

static bool on_frame(void *ctx, size_t number, double seconds, struct rd frame, bool fcs_right)
{
	struct seen *s = ctx;

	(void)fcs_right;

	MUST(number == s->frames + 1 && seconds >= 0);
	s->frames++;
	s->octets += frame.left;
	MUST(s->octets + 16 * s->frames + 24 <= s->size);
	return true;
}

static char *file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		MUST(freopen("/dev/null", "w", stdout));
	}
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

static void record(struct wr *w, struct rd frame, uint32_t number)
{
	wr_le32(w, 1);
	wr_le32(w, number);
	wr_le32(w, (uint32_t)frame.left);
	wr_le32(w, (uint32_t)frame.left);
	wr_rd(w, frame);
}

static void sealed(struct wr *w, const struct secret *key, uint32_t number, enum nwk_frame_type type, struct rd payload)
{
	const struct nwk_frame nwk = {.type = type, .protocol_version = 2, .source = 0x7b31, .radius = 1, .sequence = (uint8_t)number, .payload = payload};
	struct mac_frame mac = {
		.type = MAC_DATA,
		.pan_id_compression = true,
		.sequence = (uint8_t)number,
		.destination = {MAC_ADDRESS_SHORT, 0x1a62, 0, 0},
		.source = {MAC_ADDRESS_SHORT, 0x1a62, 0x7b31, 0},
	};
	uint8_t inner[NWK_FRAME_MAX], outer[MAC_FRAME_MAX];
	struct wr in = wr_of(inner, sizeof inner), out = wr_of(outer, sizeof outer);
	struct rd frame;

	if (nwk_seal(key, 0, 1, number, &nwk, &in) == OK && wr_done(&in, &mac.payload) && mac_frame_encode(&mac, &out) == OK && wr_done(&out, &frame))
		record(w, frame, number);
}

/* A capture without frame check sequences. */
static void capture(struct rd in, const struct secret *key, struct wr *w)
{
	uint32_t number = 0;
	struct rd payload;
	uint8_t len;

	wr_le32(w, 0xa1b2c3d4);
	wr_le16(w, 2);
	wr_le16(w, 4);
	wr_le32(w, 0);
	wr_le32(w, 0);
	wr_le32(w, 256);
	wr_le32(w, 230);
	while (rd_u8(&in, &len) && rd_sub(&in, len & 0x7f, &payload))
		sealed(w, key, number++, len & 0x80 ? NWK_COMMAND : NWK_DATA, payload);
}

static void decode(char *path, size_t size)
{
	static char code[] = "83FED3407A939723A5C639B26916D505C3B5", key[] = "000102030405060708090a0b0c0d0e0f", word[] = "decode", code_option[] = "--install-code",
		    key_option[] = "--key";
	static struct key_learner k;
	struct seen seen = {.size = size};
	char *argv[] = {word, code_option, code, key_option, key, path, NULL};

	if (capture_each(path, on_frame, &seen) != OK)
		return;
	key_learner_init(&k);
	MUST(key_learner_install_code(&k, code) == OK && key_learner_key(&k, key) == OK && key_learner_capture(&k, path) == OK);
	MUST(k.link_count >= 2 && k.link_count <= LEARNER_KEYS && k.network_count >= 1 && k.network_count <= LEARNER_KEYS);
	key_learner_clear(&k);
	MUST(decode_main(6, argv) == CLI_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t octets[SECRET_AES128] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, which;
	struct secret *key = secret_take(octets, sizeof octets);
	struct wr w = wr_new(64 * FUZZ_INPUT_MAX);
	struct rd in = rd_of(data, size), out;

	MUST(key);
	if (size <= 8 * FUZZ_INPUT_MAX && rd_u8(&in, &which)) {
		if (which & 1)
			capture(in, key, &w);
		else
			wr_rd(&w, in);
		MUST(wr_done(&w, &out));
		decode(file(out.at, out.left), out.left);
	}
	wr_free(&w);
	secret_free(key);
	return 0;
}
