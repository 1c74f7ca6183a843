/* A device as the operator gives it: by hand, as the text of its QR label, or as a line of a CSV file. */
#ifndef KEYWAY_CLI_DEVICE_H
#define KEYWAY_CLI_DEVICE_H

#include "base/bytes.h"
#include "base/rng.h"
#include "cli/cli.h"

struct device_order {
	struct rd eui64, code, owner, gateway, application; /* borrowed, in any usual spelling */
};

/* "Z:<eui64>$I:<install code>": its two parts. Other parts that labels carry ($M:..., $D:...) are skipped. */
bool device_label(struct rd label, struct device_order *o) MUST_CHECK;
/* One line: a device with what it does not say taken from the defaults, or nothing (empty, a comment, the heading of a first line). WRONG: *why. */
enum device_csv { DEVICE_CSV_NOTHING, DEVICE_CSV_DEVICE, DEVICE_CSV_WRONG };
enum device_csv device_csv_line(struct rd line, bool first, const struct device_order *defaults, struct device_order *o, uint64_t *eui64, const char **why) MUST_CHECK;
/* "device.add" or "device.check". False: the MEF does not answer; what it refuses is in the answer. */
bool device_ask(const struct plant *p, const char *cmd, const struct device_order *o, struct admin_answer *a) MUST_CHECK;
void device_random_code(struct rng *rng, char code[static HEX_SIZE(18)]); /* an install code with its CRC, as a label has it */
struct rd text_trim(struct rd text);

/* `keyway device import`: all lines or none. */
int device_import(const struct plant *p, const char *path, const struct device_order *defaults, bool json);

#endif
