/* Base64 that parses prints as the very same text; loose hexadecimal and EUI-64 that parse print as text that parses to the same. */
#include <string.h>

#include "base/bytes.h"
#include "base/ip.h"
#include "../fuzz.h"

static void base64(struct rd text)
{
	struct wr octets = wr_new(FUZZ_INPUT_MAX), again = wr_new(2 * FUZZ_INPUT_MAX);
	struct rd parsed, printed;

	if (base64_parse(text, &octets)) {
		MUST(wr_done(&octets, &parsed));
		base64_print(&again, parsed);
		MUST(wr_done(&again, &printed) && rd_equal(printed, text));
	}
	wr_free(&octets);
	wr_free(&again);
}

static void hexadecimal(struct rd text)
{
	static uint8_t octets[FUZZ_INPUT_MAX], again[FUZZ_INPUT_MAX];
	static char printed[HEX_SIZE(FUZZ_INPUT_MAX)];
	size_t len;

	if (!hex_parse_loose(text, octets, sizeof octets, &len))
		return;
	MUST(2 * len <= text.left);
	hex_print(printed, octets, len);
	MUST(hex_parse(rd_str(printed), again, len));
	MUST(rd_equal(rd_of(octets, len), rd_of(again, len)));
}

static void eui64(struct rd text)
{
	char printed[EUI64_SIZE];
	uint64_t v, again;

	if (!eui64_parse(text, &v))
		return;
	eui64_print(printed, v);
	MUST(eui64_parse(rd_str(printed), &again) && again == v);
}

static void numbers_and_lines(struct rd text)
{
	char printed[24];
	struct rd line;
	size_t lines = 0;
	uint64_t v;

	if (rd_decimal(text, &v)) {
		struct wr w = wr_of(printed, sizeof printed);
		struct rd again;

		wr_fmt(&w, "%llu", (unsigned long long)v);
		while (text.left > 1 && text.at[0] == '0')
			MUST(rd_skip(&text, 1));
		MUST(wr_done(&w, &again) && rd_equal(again, text));
	}
	while (rd_line(&text, &line))
		MUST(++lines <= FUZZ_INPUT_MAX && line.left <= FUZZ_INPUT_MAX);
	MUST(rd_end(&text));
}

/* UTF-8: a character is at most four octets, and one that is cut is none. */
static void characters(struct rd text)
{
	while (text.left > 0) {
		size_t len = utf8_length(text);

		MUST(len <= 4 && len <= text.left);
		for (size_t n = 1; n < len; n++)
			MUST(utf8_length(rd_of(text.at, n)) == 0);
		MUST(rd_skip(&text, len ? len : 1));
	}
}

/* An address is within itself, and within every network of its family. */
static void addresses(struct rd text)
{
	bool six = text.left > 0 && memchr(text.at, ':', text.left);

	if (!ip_is_within(text, text))
		return;
	if (!memchr(text.at, '/', text.left))
		MUST(ip_is_within(text, rd_str(six ? "::/0" : "0.0.0.0/0")) && !ip_is_within(text, rd_str(six ? "0.0.0.0/0" : "::/0")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd text = rd_of(data, size);

	if (size > FUZZ_INPUT_MAX)
		return 0;
	base64(text);
	hexadecimal(text);
	eui64(text);
	numbers_and_lines(text);
	characters(text);
	addresses(text);
	return 0;
}
