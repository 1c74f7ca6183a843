/* The administration socket's requests about clients. Used by admin.c alone. */
#ifndef KEYWAY_MEF_ADMIN_CLIENT_H
#define KEYWAY_MEF_ADMIN_CLIENT_H

#include "base/err.h"

struct call;

enum err admin_client_list(struct call *c) MUST_CHECK;
enum err admin_client_configure(struct call *c) MUST_CHECK;
enum err admin_client_command(struct call *c) MUST_CHECK;
enum err admin_client_commands(struct call *c) MUST_CHECK;

#endif
