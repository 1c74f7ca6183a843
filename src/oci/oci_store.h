/* What node B remembers of its devices and their networks: keys sealed under the key file, frame counters, and what the interview found; Zigbee groups. */
#ifndef KEYWAY_OCI_OCI_STORE_H
#define KEYWAY_OCI_OCI_STORE_H

#include "database/origin.h"
#include "oci/oci_core.h"

struct oci_store;
/* ERR_CONFIG: the key file; ERR_STATE: an old copy, and the clock is behind its time; ERR_STORE. */
enum err oci_store_open(const char *directory, const char *key_file, struct oci_store **out) MUST_CHECK;
void oci_store_close(struct oci_store *s);
/* What the frame counters of an old copy were moved on by. Keys that it does not have begin at its floor: oci_core_config.counter_floor. */
const struct database_gap *oci_store_gap(const struct oci_store *s);
enum err oci_store_alive(struct oci_store *s) MUST_CHECK; /* every DATABASE_ALIVE_S */
/* As oci_core_config.save: the device and its networks in one transaction. A network's counter never goes back, and a group's key that no device had any
 * more is not taken again: ERR_REPLAY. */
enum err oci_store_save(void *store, const struct oci_device *d);
enum err oci_store_forget(struct oci_store *s, uint64_t eui64) MUST_CHECK;
/* fn takes over the networks of each: each device has its own of a network that it shares. */
enum err oci_store_each(struct oci_store *s, void (*fn)(void *ctx, const struct oci_device *d), void *ctx) MUST_CHECK;
/* Zigbee groups: as oci_core_keep_groups has it. */
enum err oci_store_save_group(void *store, const struct oci_group *g);
enum err oci_store_each_group(struct oci_store *s, void (*fn)(void *ctx, const struct oci_group *g), void *ctx) MUST_CHECK;

#endif
