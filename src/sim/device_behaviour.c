/* What cluster commands do to a simulated device, by the table in device_types.c; its PINs; its siren. */
#include <string.h>

#include "base/bytes.h"
#include "sim/device_private.h"

#define PIN_LEAST 4
#define DUPLICATE_CODE 0x03
#define GENERAL_FAILURE 0x01
#define USER_AVAILABLE 0
#define USER_ENABLED 1

static bool number_at(struct rd in, size_t offset, size_t size, uint64_t *v)
{
	uint8_t octet = 0;

	*v = 0;
	if (!rd_skip(&in, offset) || in.left < size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!rd_u8(&in, &octet))
			return false;
		*v |= (uint64_t)octet << (8 * i);
	}
	return true;
}

/* ---- the lock ---- */

static struct device_pin *pin_of(struct sim_device *d, uint16_t user)
{
	return user < DEVICE_PINS ? &d->pins[user] : NULL;
}

static bool pin_is(const struct device_pin *p, struct rd code)
{
	return p->len > 0 && p->len == code.left && bytes_equal_ct(p->digits, code.at, p->len);
}

static bool pin_known(const struct sim_device *d, struct rd code)
{
	bool known = false;

	for (size_t i = 0; i < DEVICE_PINS; i++)
		known = pin_is(&d->pins[i], code) || known;
	return known;
}

static bool code_read(struct rd *in, struct rd *code)
{
	uint8_t len;

	*code = rd_of(NULL, 0);
	return rd_end(in) || (rd_u8(in, &len) && rd_sub(in, len, code));
}

static uint8_t lock(struct sim_device *d, uint8_t endpoint, const struct device_command *c, struct rd in)
{
	bool wanted = device_value(d, endpoint, ZCL_DOOR_LOCK, 0x0033) != 0;
	struct rd code;

	if (!code_read(&in, &code))
		return ZCL_MALFORMED_COMMAND;
	if ((wanted || code.left > 0) && !pin_known(d, code)) {
		device_event(d, "pin-refused", "%s", "");
		return ZCL_FAILURE;
	}
	(void)device_value_set(d, endpoint, ZCL_DOOR_LOCK, c->attribute, c->constant);
	return ZCL_SUCCESS;
}

/* user(2) status(1) type(1) code(octet string) */
static uint8_t pin_set(struct sim_device *d, struct rd in)
{
	uint16_t user;
	uint8_t status, type;
	struct device_pin *p;
	struct rd code;

	if (!rd_le16(&in, &user) || !rd_u8(&in, &status) || !rd_u8(&in, &type) || !code_read(&in, &code) || code.left == 0)
		return GENERAL_FAILURE;
	p = pin_of(d, user);
	if (!p || code.left < PIN_LEAST || code.left > sizeof p->digits)
		return GENERAL_FAILURE;
	if (pin_known(d, code) && !pin_is(p, code))
		return DUPLICATE_CODE;
	memcpy(p->digits, code.at, code.left);
	p->len = (uint8_t)code.left;
	device_save(d);
	device_event(d, "pin-set", "\"user\":%u", user);
	return ZCL_SUCCESS;
}

static uint8_t pin_clear(struct sim_device *d, struct rd in, bool all)
{
	uint16_t user = 0;

	if (!all && (!rd_le16(&in, &user) || !pin_of(d, user)))
		return GENERAL_FAILURE;
	for (uint16_t i = 0; i < DEVICE_PINS; i++)
		if (all || i == user)
			bytes_wipe(&d->pins[i], sizeof d->pins[i]);
	device_save(d);
	device_event(d, "pin-cleared", "\"user\":%u,\"all\":%s", user, all ? "true" : "false");
	return ZCL_SUCCESS;
}

/* user(2) status(1) type(1) code: a lock tells whether there is one, and keeps it to itself. */
static void pin_get(struct sim_device *d, struct rd in, struct wr *answer)
{
	uint16_t user = 0xffff;
	bool any;

	(void)!rd_le16(&in, &user);
	any = pin_of(d, user) && pin_of(d, user)->len > 0;
	wr_le16(answer, user);
	wr_u8(answer, any ? USER_ENABLED : USER_AVAILABLE);
	wr_u8(answer, any ? 0 : 0xff);
	wr_u8(answer, 0);
}

/* ---- the siren ---- */

/* warning(1: mode in the upper four bits) duration(2) ... */
static uint8_t warn(struct sim_device *d, struct rd in)
{
	uint8_t warning;
	uint16_t seconds;

	if (!rd_u8(&in, &warning) || !rd_le16(&in, &seconds))
		return ZCL_MALFORMED_COMMAND;
	device_event(d, "warning", "\"on\":%s,\"seconds\":%u", warning >> 4 ? "true" : "false", seconds);
	return ZCL_SUCCESS;
}

/* ---- all ---- */

static uint8_t move(struct sim_device *d, uint8_t endpoint, const struct device_command *c, struct rd in)
{
	uint64_t now = device_value(d, endpoint, c->cluster, c->attribute), down = 0, by = 0, next;

	if (!number_at(in, c->offset, 1, &down) || !number_at(in, c->offset + 1U, 1, &by))
		return ZCL_MALFORMED_COMMAND;
	if (c->op == DEVICE_OP_MOVE)
		by = 255;
	next = down ? (now > by ? now - by : 0) : now + by < c->constant ? now + by : c->constant;
	(void)device_value_set(d, endpoint, c->cluster, c->attribute, next);
	return ZCL_SUCCESS;
}

static uint8_t change(struct sim_device *d, uint8_t endpoint, const struct device_command *c, struct rd in)
{
	uint64_t v = c->constant;

	if (c->op == DEVICE_OP_TOGGLE) {
		v = !device_value(d, endpoint, c->cluster, c->attribute);
	} else if (c->op == DEVICE_OP_TAKE) {
		if (!number_at(in, c->offset, c->size, &v))
			return ZCL_MALFORMED_COMMAND;
		if (v > c->constant)
			return ZCL_INVALID_VALUE;
	} else if (c->op == DEVICE_OP_SETPOINT) {
		if (!number_at(in, c->offset, 1, &v))
			return ZCL_MALFORMED_COMMAND;
		v = (uint64_t)((int64_t)device_value(d, endpoint, c->cluster, c->attribute) + 10 * (int8_t)v);
	}
	(void)device_value_set(d, endpoint, c->cluster, c->attribute, v);
	return ZCL_SUCCESS;
}

static uint8_t perform(struct sim_device *d, uint8_t endpoint, const struct device_command *c, struct rd in, struct wr *answer)
{
	uint8_t status = ZCL_SUCCESS;
	uint64_t v;

	switch (c->op) {
	case DEVICE_OP_NOTHING:
		break;
	case DEVICE_OP_SET:
	case DEVICE_OP_TOGGLE:
	case DEVICE_OP_TAKE:
	case DEVICE_OP_SETPOINT:
		return change(d, endpoint, c, in);
	case DEVICE_OP_NOT_ZERO:
		if (number_at(in, c->offset, c->size, &v))
			(void)device_value_set(d, endpoint, (uint16_t)c->constant, c->attribute, v != 0);
		break;
	case DEVICE_OP_MOVE:
	case DEVICE_OP_STEP:
		return move(d, endpoint, c, in);
	case DEVICE_OP_WARN:
		return warn(d, in);
	case DEVICE_OP_LOCK:
		status = lock(d, endpoint, c, in);
		wr_u8(answer, status);
		break;
	case DEVICE_OP_PIN_SET:
		wr_u8(answer, pin_set(d, in));
		break;
	case DEVICE_OP_PIN_CLEAR:
	case DEVICE_OP_PIN_CLEAR_ALL:
		wr_u8(answer, pin_clear(d, in, c->op == DEVICE_OP_PIN_CLEAR_ALL));
		break;
	case DEVICE_OP_PIN_GET:
		pin_get(d, in, answer);
		break;
	}
	return status;
}

uint8_t device_perform(struct sim_device *d, uint8_t endpoint, uint16_t cluster, uint8_t command, struct rd in, struct wr *answer)
{
	uint8_t status = ZCL_UNSUP_CLUSTER_COMMAND;

	for (size_t i = 0; i < device_command_count; i++) {
		if (device_commands[i].cluster != cluster || device_commands[i].command != command)
			continue;
		status = perform(d, endpoint, &device_commands[i], in, answer);
		if (status != ZCL_SUCCESS)
			break;
	}
	return status;
}
