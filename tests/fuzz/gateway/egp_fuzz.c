/* An EGP message that decodes is as long as its header says, and encodes to one that decodes alike and encodes to itself; without TLVs to
 * the same octets. */
#include "egp/egp.h"
#include "../fuzz.h"

static bool has_tlvs(const struct egp_message *m)
{
	return m->owner.at || m->relay_target.at || m->text.at || m->software.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[EGP_MESSAGE_MAX], second[EGP_MESSAGE_MAX];
	struct wr w = wr_of(first, sizeof first), v = wr_of(second, sizeof second);
	struct rd in = rd_of(data, size), out, twice;
	struct egp_message m, again;
	enum err e = egp_decode(in, &m);
	size_t len;

	if (egp_length(in, &len) == OK && len > size)
		MUST(e != OK);
	if (e != OK)
		return 0;
	MUST(egp_length(in, &len) == OK && len == size);
	MUST(egp_encode(&m, &w) == OK && wr_done(&w, &out) && out.left <= size);
	if (!has_tlvs(&m) && out.left == size)
		MUST(rd_equal(out, in));
	MUST(egp_decode(out, &again) == OK && again.type == m.type && again.transaction == m.transaction);
	MUST(rd_equal(m.owner, again.owner) && rd_equal(m.relay_target, again.relay_target));
	MUST(rd_equal(m.text, again.text) && rd_equal(m.software, again.software));
	MUST(egp_encode(&again, &v) == OK && wr_done(&v, &twice) && rd_equal(out, twice));
	return 0;
}
