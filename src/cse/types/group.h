/* What the files about groups share. */
#ifndef KEYWAY_CSE_TYPES_GROUP_H
#define KEYWAY_CSE_TYPES_GROUP_H

#include "cse/private.h"

/* A local resource is, or was once, a member of a group: its end is looked at. group_members.c */
void group_note_member(struct cse *c, const char *id);

/* A CSE registered or answers again: members there may be asked. group_again.c */
void group_cse_is_there(struct cse *c, const char *csi);

/* For cse_use_groups. group_members.c */
void group_tell_changed(struct cse *c, const struct resource *group);

#endif
