/* A device's presence and its place at the gateway: whether it is heard, what its short address is, and how it comes back to a gateway that does not know it.
 * Nothing that the gateway says changes a key or a counter: what it says of a child is a hint, and a sealed frame is what counts. */
#include "base/clock.h"
#include "oci/core_private.h"

#define CALL_EVERY_MS 60000 /* anybody can poll in a child's name: it is called back so often at most */

void oci_life_place(struct oci_core *c, struct oci_device *d)
{
	struct oci_effect *e = oci_effect(c, OCI_CHILD_SET, d); /* its containers are there also when it is behind a router */

	e->short_address = d->short_address;
	e->capability = d->capability;
	e->timeout_s = d->parent ? 0 : d->timeout_s; /* who is behind a router is not heard */
}

static void present(struct oci_core *c, struct oci_device *d, bool silent)
{
	if (d->silent == silent)
		return;
	d->silent = silent;
	(void)oci_effect(c, OCI_PRESENCE, d);
	oci_event(c, d, silent ? "lost" : "heard");
	oci_log(c, d, silent ? "device is silent beyond its time-out" : "device is heard again");
}

void oci_core_lost(struct oci_core *c, uint64_t now, uint64_t eui64)
{
	struct oci_device *d = oci_core_device(c, eui64);

	c->now = now;
	if (!d || !d->joined || d->silent)
		return;
	present(c, d, true);
	(void)oci_save(c, d);
}

/* R22 3.6.1.9: the address is the device's to announce, and ours to follow; all that it sends has it. */
void oci_life_heard(struct oci_core *c, struct oci_device *d, const struct nwk_frame *f, bool own)
{
	present(c, d, false);
	if (!own || f->source == d->short_address || !nwk_address_is_device(f->source))
		return;
	d->short_address = f->source;
	oci_life_place(c, d); /* first: what follows is delivered there */
	oci_log(c, d, "short address %04x from now on", f->source);
	(void)oci_effect(c, OCI_PRESENCE, d);
	oci_event(c, d, "announced");
}

/* R22 3.6.1.9.2, as the parent of who has the address: a new one, by a Rejoin Response that it did not ask for. We follow when it says that it has taken it. */
void oci_life_conflict(struct oci_core *c, struct oci_device *d, uint16_t address)
{
	struct nwk_command m = {.id = NWK_REJOIN_RESPONSE};

	if (address != d->short_address || d->parent || (d->called_at && c->now - d->called_at < CALL_EVERY_MS))
		return;
	d->called_at = c->now;
	do
		m.rejoin_response.short_address = (uint16_t)rng_u32(c->config.rng);
	while (!nwk_address_is_device(m.rejoin_response.short_address) || m.rejoin_response.short_address == address);
	oci_log(c, d, "address conflict: %04x is offered another", address);
	oci_nwk_command(c, d, &m);
}

/* R22 3.6.10.4 has a parent tell who is not its child to leave and rejoin. Sealed, only we can say so; before, its place must be there. */
void oci_core_unknown(struct oci_core *c, uint64_t now, uint64_t eui64, uint16_t short_address, bool polled)
{
	struct oci_device *d = oci_core_device(c, eui64);

	c->now = now;
	if (!d || !d->joined || (nwk_address_is_device(short_address) && short_address != d->short_address))
		return;
	if (d->called_at && now - d->called_at < CALL_EVERY_MS)
		return;
	oci_life_place(c, d);
	if (!polled || d->parent) /* one that was behind a router asks for itself again, now that it has a place */
		return;
	d->called_at = now;
	oci_log(c, d, "the gateway does not know the device: it is told to rejoin");
	oci_mesh_leave(c, d, true);
}

enum err oci_core_role(struct oci_core *c, uint64_t eui64, uint64_t role)
{
	struct oci_device *d = oci_core_device(c, eui64);

	if (!d)
		return ERR_UNKNOWN_DEVICE;
	if (d->role == role)
		return OK;
	d->role = role;
	return oci_save(c, d) ? OK : ERR_STORE;
}

/* Without rejoin: another gateway is another network, and it comes there by an association. It keeps all that it is here until then. */
void oci_core_move(struct oci_core *c, uint64_t now, uint64_t eui64)
{
	struct oci_device *d = oci_core_device(c, eui64);

	c->now = now;
	if (!d || !d->joined)
		return;
	oci_log(c, d, "the device is to go to another gateway: it is told to leave this one");
	oci_mesh_leave(c, d, false);
	(void)oci_effect(c, OCI_CHILD_DROP, d); /* when it has heard that */
	oci_aps_forget(d);
}
