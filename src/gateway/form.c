/* The shell of forming a network. */
#include "gateway/form.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "gateway/formation.h"
#include "gateway/radio_port.h"
#include "loop/log.h"

#define LISTEN_MS 250 /* for energy, and then for beacons; a beacon answers within 138 ms (scan duration 3) */
#define CHANNEL_FIRST 11

enum phase { WAITING, ENERGY, TUNING, BEACONS, DONE };

struct form {
	struct loop *loop;
	const struct gateway_config *config;
	uint32_t channels;
	form_done *done;
	void *ctx;
	struct radio_port *radio;
	struct loop_timer *timer;
	struct formation formation;
	enum phase phase;
	uint8_t channel;
	uint8_t sequence;
	bool draining;
};

static void path_of(const struct gateway_config *c, char *path, size_t size)
{
	snprintf(path, size, "%s/channel", c->state);
}

static enum err remember(const struct gateway_config *c, uint8_t channel)
{
	char path[512], text[8];
	int n = snprintf(text, sizeof text, "%u\n", channel), fd;
	bool ok;

	path_of(c, path, sizeof path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ok = fd >= 0 && write(fd, text, (size_t)n) == n && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok ? OK : ERR_IO;
}

/* OK with channel 0: there is no file. */
static enum err remembered(const struct gateway_config *c, uint8_t *channel)
{
	char path[512], text[16] = "";
	struct rd line;
	uint64_t n = 0;
	ssize_t len;
	int fd;

	*channel = 0;
	path_of(c, path, sizeof path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return OK;
	len = read(fd, text, sizeof text - 1);
	close(fd);
	line = rd_of(text, len > 0 ? (size_t)len : 0);
	if (!rd_line(&line, &line) || !rd_decimal(line, &n) || n < CHANNEL_FIRST || n > FORMATION_CHANNEL_LAST) {
		log_line(LOG_LEVEL_ERROR, "this file has no channel from 11 to 26; remove it to choose one anew", "file=%s", path);
		return ERR_CONFIG;
	}
	*channel = (uint8_t)n;
	return OK;
}

static void finish(struct form *f)
{
	const struct formation_network *other = formation_conflict(&f->formation, f->config->radio.pan_id, f->config->radio.extended_pan_id);
	uint8_t channel = formation_choose(&f->formation, f->channels);

	log_line(LOG_LEVEL_INFO, "channel chosen", "channel=%u energy=%d networks=%u heard=%u", channel, f->formation.channel[channel].energy_dbm,
	    f->formation.channel[channel].networks, (unsigned)f->formation.count);
	if (other)
		log_line(LOG_LEVEL_WARNING, "another network has our PAN ID or extended PAN ID: devices may join that one", "channel=%u pan=%04x", other->channel, other->pan_id);
	if (remember(f->config, channel) != OK)
		log_line(LOG_LEVEL_ERROR, "the channel could not be written down: after a restart it may be another", "state=%s", f->config->state);
	f->done(f->ctx, channel);
	radio_port_free(f->radio);
	loop_timer_free(f->timer);
	free(f);
}

static void drain(struct form *f)
{
	if (f->draining)
		return;
	f->draining = true;
	while (f->radio && radio_port_drain(f->radio))
		;
	f->draining = false;
	if (f->phase == DONE)
		loop_timer_in(f->timer, 0); /* not from within the radio's own callback */
}

static void beacon_request(struct form *f)
{
	const struct mac_command c = {.id = MAC_BEACON_REQUEST};
	struct mac_frame m = {.type = MAC_COMMAND, .sequence = f->sequence++,
	    .destination = {.mode = MAC_ADDRESS_SHORT, .pan_id = MAC_BROADCAST, .short_address = MAC_BROADCAST}};
	uint8_t payload[8], octets[MAC_FRAME_MAX];
	struct wr p = wr_of(payload, sizeof payload), w = wr_of(octets, sizeof octets);

	if (mac_command_encode(&c, &p) != OK)
		return;
	m.payload = rd_of(payload, p.len);
	if (mac_frame_encode(&m, &w) == OK && spinel_host_transmit(radio_port_host(f->radio), clock_ms(), rd_of(octets, w.len), 1) == OK)
		f->phase = BEACONS;
	loop_timer_in(f->timer, LISTEN_MS);
}

/* To the next channel that is allowed, or to the end. */
static void tune(struct form *f)
{
	while (f->channel <= FORMATION_CHANNEL_LAST && !(f->channels & 1U << f->channel))
		f->channel++;
	if (f->channel > FORMATION_CHANNEL_LAST) {
		f->phase = DONE;
		return;
	}
	if (spinel_host_tune(radio_port_host(f->radio), clock_ms(), f->channel) != OK) {
		loop_timer_in(f->timer, LISTEN_MS); /* something is still being answered */
		return;
	}
	beacon_request(f);
}

static void on_time(void *ctx)
{
	struct form *f = ctx;

	if (f->phase == DONE) {
		finish(f);
		return;
	}
	if (f->phase == BEACONS) {
		f->channel++;
		f->phase = TUNING;
	}
	if (f->phase == TUNING)
		tune(f);
	drain(f);
}

static void on_effect(void *ctx, const struct spinel_host_effect *e)
{
	struct form *f = ctx;

	if (radio_port_complain(f->radio, e)) {
		if (e->type == SPINEL_HOST_LOST)
			f->phase = WAITING;
		return;
	}
	switch (e->type) {
	case SPINEL_HOST_READY:
		log_line(LOG_LEVEL_INFO, "scanning for a quiet channel", "firmware=\"%s\"", spinel_host_radio(radio_port_host(f->radio))->version);
		if (spinel_host_scan(radio_port_host(f->radio), clock_ms(), f->channels, LISTEN_MS) == OK)
			f->phase = ENERGY;
		break;
	case SPINEL_HOST_ENERGY:
		formation_energy(&f->formation, e->channel, e->rssi);
		break;
	case SPINEL_HOST_SCANNED:
		f->phase = TUNING;
		f->channel = CHANNEL_FIRST;
		loop_timer_in(f->timer, 0);
		break;
	case SPINEL_HOST_RECEIVED:
		if (f->phase == BEACONS)
			formation_heard(&f->formation, f->channel, rd_of(e->octets, e->len));
		break;
	case SPINEL_HOST_WRITE:
	case SPINEL_HOST_SENT:
	case SPINEL_HOST_LOST:
	case SPINEL_HOST_REFUSED:
	case SPINEL_HOST_MATCH_FULL:
		break;
	}
}

static void on_settled(void *ctx)
{
	drain(ctx);
}

enum err gateway_form(struct loop *l, const struct gateway_config *c, uint32_t channels, form_done *done, void *ctx)
{
	static const struct radio_port_events events = {on_effect, on_settled};
	/* As in 802.15.4's active scan: no PAN of our own, so that everybody's beacons pass the filter. */
	struct spinel_host_config radio = {.eui64 = c->radio.eui64, .pan_id = MAC_BROADCAST, .short_address = MAC_BROADCAST, .channel = CHANNEL_FIRST};
	struct form *f;
	uint8_t channel;
	enum err e = remembered(c, &channel);

	if (e != OK)
		return e;
	if (channel != 0) {
		done(ctx, channel);
		return OK;
	}
	f = calloc(1, sizeof *f);
	if (!f)
		return ERR_NO_MEMORY;
	*f = (struct form){.loop = l, .config = c, .channels = channels, .done = done, .ctx = ctx};
	f->timer = loop_timer_new(l, on_time, f);
	return radio_port_open(l, c->radio_address, &radio, &events, f, &f->radio);
}
