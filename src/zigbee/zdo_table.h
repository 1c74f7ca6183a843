/* What zdo.c and zdo_table.c share: the rows of neighbour and routing tables. */
#ifndef KEYWAY_ZIGBEE_ZDO_TABLE_H
#define KEYWAY_ZIGBEE_ZDO_TABLE_H

#include "zigbee/zdo.h"

bool zdo_neighbours_read(struct rd *in, struct zdo_message *m) MUST_CHECK;
bool zdo_routes_read(struct rd *in, struct zdo_message *m) MUST_CHECK;
void zdo_neighbours_write(const struct zdo_message *m, struct wr *w);
void zdo_routes_write(const struct zdo_message *m, struct wr *w);

#endif
