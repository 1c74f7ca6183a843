/* XML is refused with a sentence, or it becomes JSON that survives every serialisation. */
#include "round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= FUZZ_INPUT_MAX)
		must_read_or_refuse(SERIALIZATION_XML, rd_of(data, size));
	return 0;
}
