/* Every number and short name of the Mmef interface in one table.
 *
 * PROJECT CONVENTION: TS-0032, which gives the real ones, was not at hand. The procedures, fields and resource names are those of TS-0003
 * clauses 8.3.5, 8.3.9 and 12; whoever has TS-0032 puts its values in here and nowhere else. Numbers marked TS-0003 are from its clause 12.3. */
#ifndef KEYWAY_MEF_MMEF_CODES_H
#define KEYWAY_MEF_MMEF_CODES_H

/* Resource types (project convention). */
#define MMEF_TY_CLIENT_REG 10001
#define MMEF_TY_CLIENT_CMD 10002
#define MMEF_TY_SYMM_KEY_REG 10003

/* Roots and members of the JSON bodies (project convention; names spelt as in TS-0003). */
#define MMEF_BASE "/mef"
#define MMEF_CLIENT_REG "sec:mefClientReg"
#define MMEF_CLIENT_CMD "sec:mefClientCmd"
#define MMEF_SYMM_KEY_REG "sec:symmKeyReg"
#define MMEF_APS "kw:aps"
#define MMEF_EVENT "kw:event"

/* Security usage identifier, TS-0004 6.3.4.2.39: ESData encryption, provisioned by RSPF. */
#define MMEF_SUID_ESDATA 24

/* Command classes: 0 and 3 are TS-0003 table 12.3.2.2-1, the others project convention. */
enum mmef_command_class {
	MMEF_NO_MORE_COMMANDS = 0,
	MMEF_MO_NODE = 3,
	MMEF_ZIGBEE_APS_PENDING = 0x8001,
	MMEF_ZIGBEE_FORGET = 0x8002,
};

#define MMEF_OBJECT_AUTHENTICATION_PROFILE 1 /* TS-0003 table 12.3.2.3-4 */

/* Command status, TS-0003 table 12.3.2.4-1. */
enum mmef_command_status {
	MMEF_ISSUED = 10,
	MMEF_REISSUED = 11,
	MMEF_OK = 20,
};

#define MMEF_WAIT_MAX_S 60 /* longest poll for a command */

#endif
