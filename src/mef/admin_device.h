/* Requests about devices, and about who may join: admin.c's table has their names, docs/protocols/admin.md what they take and answer. */
#ifndef KEYWAY_MEF_ADMIN_DEVICE_H
#define KEYWAY_MEF_ADMIN_DEVICE_H

#include "mef/admin_call.h"

enum err admin_device_check(struct call *c) MUST_CHECK;
enum err admin_device_add(struct call *c) MUST_CHECK;
enum err admin_device_list(struct call *c) MUST_CHECK;
enum err admin_device_show(struct call *c) MUST_CHECK;
enum err admin_device_remove(struct call *c) MUST_CHECK;
enum err admin_device_rotate(struct call *c) MUST_CHECK;
enum err admin_device_replace(struct call *c) MUST_CHECK;
enum err admin_device_move(struct call *c) MUST_CHECK;
enum err admin_permit(struct call *c) MUST_CHECK;

#endif
