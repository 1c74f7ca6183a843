/* A message in one of the serialisations, which its first octet says: refused with a sentence, or a primitive; and a request or response
 * without a fault is the same when it was written, in any serialisation, and read again. */
#include "../fuzz.h"
#include "binding/primitive/envelope.h"

static void write(enum serialization s, const struct envelope *v, struct wr *out)
{
	const struct envelope_about about = {.id = v->id, .to = v->to, .from = v->from, .rooted = v->rooted};
	enum err e = v->is_response ? envelope_write_response(s, &v->rsp, &about, out) : envelope_write_request(s, &v->rq, out);

	if (e != OK)
		wr_reset(out);
	MUST(e == OK || e == ERR_BAD_VALUE || (e == ERR_TOO_LONG && s == SERIALIZATION_XML)); /* its root is a level more */
}

static void must_be_same_again(const struct envelope *v)
{
	struct wr first = wr_new(ENVELOPE_OUT_MAX);

	write(SERIALIZATION_JSON, v, &first);
	for (int s = 0; s < SERIALIZATION_COUNT && first.len > 0; s++) {
		struct wr there = wr_new(ENVELOPE_OUT_MAX), back = wr_new(ENVELOPE_OUT_MAX);
		char why[SERIALIZATION_WHY_SIZE];
		struct envelope *again = NULL;
		struct rd octets, a, b;

		write((enum serialization)s, v, &there);
		if (there.len > 0) { /* XML and CBOR have values that they cannot write */
			MUST(wr_done(&there, &octets) && envelope_read((enum serialization)s, octets, &again, why, sizeof why) == OK);
			MUST(!again->fault[0] && again->is_response == v->is_response);
			again->rooted = v->rooted;
			write(SERIALIZATION_JSON, again, &back);
			MUST(wr_done(&first, &a) && wr_done(&back, &b));
			MUST(s != SERIALIZATION_JSON || rd_equal(a, b));
		}
		envelope_free(again);
		wr_free(&there);
		wr_free(&back);
	}
	wr_free(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SERIALIZATION_WHY_SIZE] = "";
	struct rd in = rd_of(data, size);
	struct envelope *v;
	uint8_t s;

	if (size > FUZZ_INPUT_MAX || !rd_u8(&in, &s))
		return 0;
	if (envelope_read((enum serialization)(s % SERIALIZATION_COUNT), in, &v, why, sizeof why) != OK) {
		MUST(why[0] != '\0');
		return 0;
	}
	if (!v->fault[0])
		must_be_same_again(v);
	envelope_free(v);
	return 0;
}
