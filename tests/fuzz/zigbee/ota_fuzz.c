/* Over-the-air upgrade. A header that is taken is within the file and writes the same fields again; a command that is taken writes again what reads as the same.
 * Input: a command, then its payload; the whole input is a file, too. */
#include <string.h>

#include "zigbee/ota.h"
#include "../fuzz.h"

static void file(struct rd in)
{
	uint8_t buffer[256];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct ota_header h, again;
	struct rd name;

	if (ota_header_decode(in, &h) != OK)
		return;
	MUST(h.length >= OTA_HEADER_LEAST && h.length <= in.left && h.size == in.left && strlen(h.name) < OTA_NAME);
	h.length = (uint16_t)(OTA_HEADER_LEAST + (h.has_destination ? 8 : 0) + (h.has_hardware ? 4 : 0));
	h.size = h.length;
	MUST(ota_header_encode(&h, &w) == OK && wr_done(&w, &name) && ota_header_decode(name, &again) == OK);
	MUST(again.image.version == h.image.version && again.image.type == h.image.type && again.destination == h.destination && strcmp(again.name, h.name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buffer[2 * FUZZ_INPUT_MAX], twice[2 * FUZZ_INPUT_MAX], command;
	struct wr w = wr_of(buffer, sizeof buffer), v = wr_of(twice, sizeof twice);
	struct rd in = rd_of(data, size), first, second;
	struct ota_message m, again;

	if (size > FUZZ_INPUT_MAX)
		return 0;
	file(in);
	if (!rd_u8(&in, &command) || ota_decode(command, in, &m) != OK)
		return 0;
	MUST(ota_encode(command, &m, &w) == OK && wr_done(&w, &first));
	MUST(ota_decode(command, first, &again) == OK && ota_encode(command, &again, &v) == OK && wr_done(&v, &second));
	MUST(rd_equal(first, second));
	return 0;
}
