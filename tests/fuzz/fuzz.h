/* What the fuzz targets have in common: a property that does not hold ends the process, which the fuzzer reports with its input. */
#ifndef KEYWAY_TESTS_FUZZ_H
#define KEYWAY_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MUST(property)           \
	do {                     \
		if (!(property)) \
			abort(); \
	} while (0)

#define FUZZ_INPUT_MAX 2048 /* far above every frame; keeps the output buffers small */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
