/* The simulated device's ZCL foundation: attributes read, written, reported and discovered. Source: ZCL 07-5123 chapter 2. */
#include "sim/device_private.h"

#define DISCOVER_MOST 20

static void on_read(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	struct zcl_record r;

	while (zcl_read_next(&in, &r)) {
		const struct device_attribute *a = device_attribute_find(d, rq->endpoint, rq->cluster, r.attribute);
		struct zcl_value v = {.type = ZCL_NO_DATA};
		struct wr before = w;

		if (a)
			device_attribute_read(d, rq->endpoint, a, &v);
		zcl_read_response_put(&w, r.attribute, a ? ZCL_SUCCESS : ZCL_UNSUPPORTED_ATTRIBUTE, &v);
		if (w.spoilt) {
			w = before;
			break;
		}
	}
	device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_READ_RESPONSE, &w);
}

/* One pass over the records; false when one was refused. */
static bool write_pass(struct sim_device *d, const struct device_request *rq, bool try_only, struct wr *w)
{
	struct rd in = rq->z.payload;
	struct zcl_record r;
	bool all = true;

	while (zcl_report_next(&in, &r)) {
		const struct device_attribute *a = device_attribute_find(d, rq->endpoint, rq->cluster, r.attribute);
		uint8_t status = a ? device_attribute_write(d, rq->endpoint, a, &r.value, try_only) : ZCL_UNSUPPORTED_ATTRIBUTE;

		if (status == ZCL_SUCCESS)
			continue;
		all = false;
		wr_u8(w, status);
		wr_le16(w, r.attribute);
	}
	return all;
}

static void on_write(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER];
	struct wr w = wr_of(buffer, sizeof buffer);
	uint64_t cie = d->cie;
	bool ok = true;

	if (rq->z.command == ZCL_WRITE_UNDIVIDED)
		ok = write_pass(d, rq, true, &w);
	if (ok && write_pass(d, rq, false, &w))
		wr_u8(&w, ZCL_SUCCESS);
	if (rq->z.command != ZCL_WRITE_NO_RESPONSE)
		device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_WRITE_RESPONSE, &w);
	if (rq->cluster == ZCL_IAS_ZONE && d->cie != 0 && (d->cie != cie || !d->enrolled))
		device_enroll(d);
}

static void on_configure(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER];
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	struct zcl_record r;
	bool failed = false;

	while (zcl_configure_next(&in, &r)) {
		uint8_t status = r.direction ? ZCL_UNSUPPORTED_ATTRIBUTE : device_report_configure(d, rq->endpoint, rq->cluster, &r);

		if (status == ZCL_SUCCESS)
			continue;
		failed = true;
		wr_u8(&w, status);
		wr_u8(&w, r.direction);
		wr_le16(&w, r.attribute);
	}
	if (!rd_end(&in)) {
		device_zcl_default(d, rq, ZCL_MALFORMED_COMMAND);
		return;
	}
	if (!failed)
		wr_u8(&w, ZCL_SUCCESS);
	device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_CONFIGURE_REPORTING_RESPONSE, &w);
	device_save(d);
}

static void reporting_put(const struct sim_device *d, const struct device_request *rq, uint8_t direction, uint16_t attribute, struct wr *w)
{
	const struct reporting *r = direction ? NULL : device_report_find(d, rq->endpoint, rq->cluster, attribute);
	bool known = device_attribute_find(d, rq->endpoint, rq->cluster, attribute) != NULL;

	wr_u8(w, r ? ZCL_SUCCESS : known ? 0x8b : ZCL_UNSUPPORTED_ATTRIBUTE); /* 0x8b: not found */
	wr_u8(w, direction);
	wr_le16(w, attribute);
	if (!r)
		return;
	wr_u8(w, r->type);
	wr_le16(w, r->minimum_s);
	wr_le16(w, r->maximum_s);
	if (!zcl_type_is_discrete(r->type)) {
		const struct zcl_value change = {.type = r->type, .number = r->change};

		zcl_value_write(&change, w);
	}
}

static void on_read_reporting(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER], direction;
	struct wr w = wr_of(buffer, sizeof buffer);
	struct rd in = rq->z.payload;
	uint16_t attribute;

	while (rd_u8(&in, &direction) && rd_le16(&in, &attribute)) {
		struct wr before = w;

		reporting_put(d, rq, direction, attribute, &w);
		if (w.spoilt) {
			w = before;
			break;
		}
	}
	device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_READ_REPORTING_RESPONSE, &w);
}

static void on_discover(struct sim_device *d, const struct device_request *rq)
{
	uint8_t buffer[DEVICE_ANSWER], most, list[3 * DISCOVER_MOST];
	struct wr w = wr_of(buffer, sizeof buffer), l = wr_of(list, sizeof list);
	struct rd in = rq->z.payload, records;
	const struct device_attribute *a;
	uint16_t start;

	if (!rd_le16(&in, &start) || !rd_u8(&in, &most)) {
		device_zcl_default(d, rq, ZCL_MALFORMED_COMMAND);
		return;
	}
	a = device_attribute_next(d, rq->endpoint, rq->cluster, start);
	for (unsigned n = 0; a && n < most && n < DISCOVER_MOST; n++) {
		wr_le16(&l, a->id);
		wr_u8(&l, a->type);
		a = device_attribute_next(d, rq->endpoint, rq->cluster, a->id + 1U);
	}
	wr_u8(&w, a == NULL); /* complete */
	if (wr_done(&l, &records))
		wr_rd(&w, records);
	device_zcl_respond(d, rq, ZCL_GLOBAL, ZCL_DISCOVER_ATTRIBUTES_RESPONSE, &w);
}

void device_foundation(struct sim_device *d, const struct device_request *rq)
{
	switch (rq->z.command) {
	case ZCL_READ:
		on_read(d, rq);
		break;
	case ZCL_WRITE:
	case ZCL_WRITE_UNDIVIDED:
	case ZCL_WRITE_NO_RESPONSE:
		on_write(d, rq);
		break;
	case ZCL_CONFIGURE_REPORTING:
		on_configure(d, rq);
		break;
	case ZCL_READ_REPORTING:
		on_read_reporting(d, rq);
		break;
	case ZCL_DISCOVER_ATTRIBUTES:
		on_discover(d, rq);
		break;
	case ZCL_DEFAULT_RESPONSE:
		break;
	default:
		device_zcl_default(d, rq, ZCL_UNSUP_GENERAL_COMMAND);
		break;
	}
}
