/* What a demo says, and its summary. */
#include "cli/demo_private.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/clock.h"
#ifdef KEYWAY_HAVE_LEARNER
#include "cli/key_learner.h"
#endif

void demo_step(const char *fmt, ...)
{
	va_list args;

	printf("%s  •%s ", style(STYLE_CYAN), style(STYLE_PLAIN));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void demo_good(const struct demo *d, const char *fmt, ...)
{
	va_list args;

	printf("%s  ✓%s ", style(STYLE_GREEN), style(STYLE_PLAIN));
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" %s(%.1f s)%s\n", style(STYLE_DIM), (double)(clock_ms() - d->started) / 1000, style(STYLE_PLAIN));
	fflush(stdout);
}

void demo_heading(const char *text)
{
	printf("\n%s%s%s\n", style(STYLE_BOLD), text, style(STYLE_PLAIN));
}

static uint64_t count_frames(const char *pcap)
{
	FILE *f = fopen(pcap, "rb");
	uint8_t header[24];
	uint64_t n = 0;

	if (!f || fread(header, 1, 24, f) != 24) {
		if (f)
			fclose(f);
		return 0;
	}
	while (fread(header, 1, 16, f) == 16) {
		struct rd r = rd_of(header + 8, 4);
		uint32_t len;

		if (!rd_le32(&r, &len) || fseek(f, (long)len, SEEK_CUR) != 0)
			break;
		n++;
	}
	fclose(f);
	return n;
}

bool demo_write_summary(struct demo *d, bool success)
{
	struct wr w = wr_new(65536);
	struct json_out o = json_out(&w);
	char path[600];
	struct rd text;
	FILE *f;
	bool ok;

	json_object(&o, NULL);
	json_put_bool(&o, "success", success);
	json_put_double(&o, "seconds", (double)(clock_ms() - d->started) / 1000);
	json_array(&o, "devices");
	for (size_t i = 0; i < DEMO_DEVICES; i++) {
		const struct demo_device *dev = &d->devices[i];

		json_object(&o, NULL);
		json_put_string(&o, "role", dev->role);
		json_put_string(&o, "eui64", dev->eui64);
		json_put_string(&o, "kind", dev->kind);
		json_put_bool(&o, "enrolled", dev->enrolled);
		json_put_string(&o, "resource", dev->resource);
		json_put_string(&o, "attribute", dev->attribute);
		if (dev->read)
			json_put_raw(&o, "reading", rd_str(dev->reading));
		else
			json_put_null(&o, "reading");
		json_close(&o);
	}
	json_close(&o);
	json_put_bool(&o, "plugSwitched", d->switched);
	json_put_uint(&o, "framesOnAir", count_frames(d->pcap));
	json_close(&o);
	snprintf(path, sizeof path, "%s/summary.json", d->dir);
	f = fopen(path, "w");
	ok = f && wr_done(&w, &text) && fwrite(text.at, 1, text.left, f) == text.left && fputc('\n', f) != EOF;
	if (f)
		fclose(f);
	wr_free(&w);
	return ok;
}

int demo_export_keys(struct demo *d, const char *path)
{
#ifdef KEYWAY_HAVE_LEARNER
	const char *codes[DEMO_DEVICES];

	for (size_t i = 0; i < DEMO_DEVICES; i++)
		codes[i] = d->devices[i].code;
	if (key_learner_export(d->pcap, codes, DEMO_DEVICES, path) != OK)
		return cli_fail("the keys could not be learnt from %s", d->pcap);
	demo_good(d, "keys of this run in %s, for Wireshark's zigbee_pc_keys table", path);
	return CLI_OK;
#else
	(void)d;
	return cli_fail("%s: this build cannot learn keys from a capture", path);
#endif
}

void demo_tell_who_saw_what(void)
{
	demo_heading("Who could see what");
	printf("  device A   its install code, its network key, its link key\n"
	       "  MEF + EG   install codes, link keys, network keys; no application data\n"
	       "  node B     the network keys of its own devices; no install code, no link key\n"
	       "  gateway    addresses, lengths, counters, times. %sNo key, no plaintext.%s\n"
	       "  IN, MN     the same sealed frames as the gateway, inside contentInstances\n"
	       "  the air    everything above the MAC sealed; see factory.pcap\n",
	    style(STYLE_GREEN), style(STYLE_PLAIN));
}

void demo_tell_how_to_play(const struct demo *d)
{
	demo_heading("Play with it (in another terminal)");
	printf("  export PATH='%s':\"$PATH\" KEYWAY_PLANT='%s'\n"
	       "  keyway status\n"
	       "  keyway discover /id-b/cse-b ty=28\n"
	       "  keyway watch  %s\n"
	       "  keyway update %s state=false\n"
	       "  keyway decode %s\n"
	       "Ctrl-C ends the plant.\n",
	    d->set.programs, d->plant_dir, d->devices[0].resource, d->devices[1].resource, d->pcap);
}
