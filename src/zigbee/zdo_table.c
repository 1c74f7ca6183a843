/* Neighbour and routing tables in Mgmt_Lqi_rsp and Mgmt_Rtg_rsp, clauses 2.4.4.3.2 and 2.4.4.3.3: total(1) start(1) count(1) rows. */
#include "zigbee/zdo_table.h"

static bool head_read(struct rd *in, struct zdo_message *m, size_t most)
{
	return rd_u8(in, &m->total) && rd_u8(in, &m->start) && rd_u8(in, &m->row_count) && m->row_count <= most;
}

static bool head_write(const struct zdo_message *m, size_t most, struct wr *w)
{
	if (m->row_count > most)
		w->spoilt = true;
	wr_u8(w, m->total);
	wr_u8(w, m->start);
	wr_u8(w, m->row_count);
	return !w->spoilt;
}

bool zdo_neighbours_read(struct rd *in, struct zdo_message *m)
{
	if (!head_read(in, m, ZDO_NEIGHBOURS_MAX))
		return false;
	for (size_t i = 0; i < m->row_count; i++) {
		struct zdo_neighbour *n = &m->neighbours[i];

		if (!rd_le64(in, &n->extended_pan_id) || !rd_le64(in, &n->eui64) || !rd_le16(in, &n->short_address) || !rd_u8(in, &n->kind) ||
		    !rd_u8(in, &n->permit) || !rd_u8(in, &n->depth) || !rd_u8(in, &n->lqi))
			return false;
	}
	return true;
}

void zdo_neighbours_write(const struct zdo_message *m, struct wr *w)
{
	if (!head_write(m, ZDO_NEIGHBOURS_MAX, w))
		return;
	for (size_t i = 0; i < m->row_count; i++) {
		const struct zdo_neighbour *n = &m->neighbours[i];

		wr_le64(w, n->extended_pan_id);
		wr_le64(w, n->eui64);
		wr_le16(w, n->short_address);
		wr_u8(w, n->kind);
		wr_u8(w, n->permit);
		wr_u8(w, n->depth);
		wr_u8(w, n->lqi);
	}
}

bool zdo_routes_read(struct rd *in, struct zdo_message *m)
{
	if (!head_read(in, m, ZDO_ROUTES_MAX))
		return false;
	for (size_t i = 0; i < m->row_count; i++)
		if (!rd_le16(in, &m->routes[i].destination) || !rd_u8(in, &m->routes[i].state) || !rd_le16(in, &m->routes[i].next_hop))
			return false;
	return true;
}

void zdo_routes_write(const struct zdo_message *m, struct wr *w)
{
	if (!head_write(m, ZDO_ROUTES_MAX, w))
		return;
	for (size_t i = 0; i < m->row_count; i++) {
		wr_le16(w, m->routes[i].destination);
		wr_u8(w, m->routes[i].state);
		wr_le16(w, m->routes[i].next_hop);
	}
}
