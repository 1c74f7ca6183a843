/* Commands of Groups and Scenes. What is taken is written again as the same octets, as far as it was looked at; names within what an encoder takes.
 * Input: 1 for who sends (bit 0 the server, bit 1 Scenes), the command, its payload. */
#include "zigbee/groups.h"
#include "../fuzz.h"

static bool starts(struct rd in, struct rd prefix)
{
	struct rd head;

	return rd_sub(&in, prefix.left, &head) && rd_equal(head, prefix);
}

static void groups(bool from_server, uint8_t command, struct rd in)
{
	uint8_t buffer[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct groups_message m;
	struct rd out;
	uint16_t group;
	size_t n = 0;

	if (groups_decode(from_server, command, in, &m) != OK || m.name.left > GROUPS_NAME_MAX)
		return;
	MUST(groups_encode(from_server, command, &m, &w) == OK && wr_done(&w, &out) && starts(in, out));
	while (groups_next(&m.list, &group))
		n++;
	MUST(rd_end(&m.list) && n <= UINT8_MAX);
}

static void scenes(bool from_server, uint8_t command, struct rd in)
{
	uint8_t buffer[FUZZ_INPUT_MAX], fields[FUZZ_INPUT_MAX];
	struct wr w = wr_of(buffer, sizeof buffer), v = wr_of(fields, sizeof fields);
	struct scenes_message m;
	struct scenes_field f;
	struct rd out, rest;

	if (scenes_decode(from_server, command, in, &m) != OK || m.name.left > GROUPS_NAME_MAX)
		return;
	MUST(scenes_encode(from_server, command, &m, &w) == OK && wr_done(&w, &out) && starts(in, out));
	rest = m.fields;
	while (scenes_next_field(&rest, &f))
		scenes_put_field(&v, f.cluster, f.values);
	MUST(rd_end(&rest) && wr_done(&v, &out) && rd_equal(out, m.fields));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	uint8_t how, command;

	if (size > FUZZ_INPUT_MAX || !rd_u8(&in, &how) || !rd_u8(&in, &command))
		return 0;
	if (how & 2)
		scenes(how & 1, command, in);
	else
		groups(how & 1, command, in);
	return 0;
}
