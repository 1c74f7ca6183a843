/* Schedule entries. */
#include "cse/schedule.h"

#include "base/wr.h"
#include "onem2m/timestamp.h"

#define FIELDS 7

static const struct {
	uint64_t min, max;
} bounds[FIELDS] = {{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}, {1970, 9999}};

static bool number(struct rd text, unsigned field, uint64_t *n)
{
	return rd_decimal(text, n) && *n >= bounds[field].min && *n <= bounds[field].max;
}

/* One element of a list: false when it is malformed. */
static bool element(struct rd text, unsigned field, uint64_t value, bool *holds)
{
	uint64_t first = bounds[field].min, last = bounds[field].max, step = 1;
	struct rd range, low;

	if (rd_until(&text, '/', &range)) {
		if (!rd_decimal(text, &step) || step == 0)
			return false;
	} else {
		range = text;
	}
	if (!rd_is(range, "*")) {
		if (rd_until(&range, '-', &low)) {
			if (!number(low, field, &first) || !number(range, field, &last) || first > last)
				return false;
		} else if (!number(range, field, &first)) {
			return false;
		} else {
			last = first;
		}
	}
	*holds = value >= first && value <= last && (value - first) % step == 0;
	/* Sunday is 0 and 7 */
	if (field == 5 && value == 0 && !*holds)
		*holds = 7 >= first && 7 <= last && (7 - first) % step == 0;
	return true;
}

static bool field_of(struct rd text, unsigned field, uint64_t value, bool *holds)
{
	struct rd part;
	bool one;

	*holds = false;
	if (text.left == 0)
		return false;
	while (text.left > 0) {
		if (!rd_until(&text, ',', &part))
			part = rd_rest(&text);
		if (!element(part, field, value, &one))
			return false;
		*holds = *holds || one;
	}
	return true;
}

/* Whether it is well formed; `active` tells whether it holds, `failed` the first field that does not. */
static bool evaluate(struct rd entry, uint64_t unix_ms, bool *active, unsigned *failed)
{
	const struct timestamp_fields t = timestamp_break_down(unix_ms);
	const uint64_t values[FIELDS] = {t.second, t.minute, t.hour, t.day, t.month, t.weekday, t.year};
	struct rd part;
	unsigned n = 0;
	bool holds;

	*active = true;
	*failed = 0;
	while (entry.left > 0) {
		if (!rd_until(&entry, ' ', &part))
			part = rd_rest(&entry);
		if (part.left == 0)
			continue;
		if (n == FIELDS || !field_of(part, n, values[n], &holds))
			return false;
		if (!holds) {
			*active = false;
			if (n > *failed)
				*failed = n;
		}
		n++;
	}
	return n == FIELDS;
}

bool schedule_is_valid(struct rd entry)
{
	unsigned failed;
	bool active;

	return evaluate(entry, 0, &active, &failed);
}

bool schedule_is_active(struct rd entry, uint64_t unix_ms)
{
	unsigned failed;
	bool active;

	return evaluate(entry, unix_ms, &active, &failed) && active;
}

uint64_t schedule_next(struct rd entry, bool wanted, uint64_t unix_ms)
{
	uint64_t at = unix_ms, end = unix_ms + 366ULL * 86400 * 1000;
	bool active;
	unsigned failed;

	while (at < end) {
		uint64_t step = 1000;

		if (!evaluate(entry, at, &active, &failed))
			return 0;
		if (active == wanted)
			return at;
		/* a whole minute, hour or day at once where only a coarse field can change it */
		if (wanted && failed >= 3)
			step = 86400000 - at % 86400000;
		else if (wanted && failed == 2)
			step = 3600000 - at % 3600000;
		else if (wanted && failed == 1)
			step = 60000 - at % 60000;
		at = (at + step) / 1000 * 1000;
	}
	return 0;
}

/* ---- two at once ---- */

static bool next_field(struct rd *entry, struct rd *part)
{
	do {
		if (entry->left == 0)
			return false;
		if (!rd_until(entry, ' ', part))
			*part = rd_rest(entry);
	} while (part->left == 0);
	return true;
}

static bool holds_in_both(struct rd a, struct rd b, unsigned field, uint64_t value)
{
	bool first, second;

	return field_of(a, field, value, &first) && field_of(b, field, value, &second) && first && second;
}

/* The values of one field that both have, as ranges; '*' for all. */
static bool put_field(struct rd a, struct rd b, unsigned field, struct wr *w)
{
	uint64_t min = bounds[field].min, max = field == 5 ? 6 : bounds[field].max, v = min;
	bool any = false;

	while (v <= max) {
		uint64_t first = v;

		if (!holds_in_both(a, b, field, v++))
			continue;
		while (v <= max && holds_in_both(a, b, field, v))
			v++;
		if (first == min && v > max)
			wr_str(w, "*");
		else if (v - 1 == first)
			wr_fmt(w, "%s%llu", any ? "," : "", (unsigned long long)first);
		else
			wr_fmt(w, "%s%llu-%llu", any ? "," : "", (unsigned long long)first, (unsigned long long)(v - 1));
		any = true;
	}
	return any;
}

bool schedule_both(struct rd a, struct rd b, char *text, size_t size)
{
	struct wr w = wr_of(text, size);
	struct rd one, other, out;

	if (!schedule_is_valid(a) || !schedule_is_valid(b))
		return false;
	for (unsigned field = 0; next_field(&a, &one) && next_field(&b, &other); field++) {
		if (field > 0)
			wr_u8(&w, ' ');
		if (!put_field(one, other, field, &w))
			return false;
	}
	wr_u8(&w, '\0');
	return wr_done(&w, &out);
}
