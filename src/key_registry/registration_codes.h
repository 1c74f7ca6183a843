/* Every number and short name of the interfaces of MEF and MAF (Mmef, Mmaf) in one table.
 *
 * PROJECT CONVENTION: TS-0032, which gives the real ones, was not at hand. The procedures, fields and resource names are those of TS-0003
 * clauses 8.3.5, 8.3.9, 8.8.2 and 12; whoever has TS-0032 puts its values in here and nowhere else. Numbers marked TS-0003 are from its clause 12.3. */
#ifndef KEYWAY_KEY_REGISTRY_REGISTRATION_CODES_H
#define KEYWAY_KEY_REGISTRY_REGISTRATION_CODES_H

/* Resource types (project convention). */
#define REGISTRATION_TY_MEF_CLIENT 10001
#define REGISTRATION_TY_COMMAND 10002
#define REGISTRATION_TY_KEY 10003
#define REGISTRATION_TY_MAF_CLIENT 10004

/* Paths and roots of the JSON bodies (project convention; names spelt as in TS-0003). */
#define REGISTRATION_BASE_MEF "/mef"
#define REGISTRATION_BASE_MAF "/maf"
#define REGISTRATION_STANDING "rcn=0" /* query of a Key Retrieval that only asks whether the key is one still (project convention) */
#define REGISTRATION_MEF_CLIENT "sec:mefClientReg"
#define REGISTRATION_MAF_CLIENT "sec:mafClientReg"
#define REGISTRATION_COMMAND "sec:mefClientCmd"
#define REGISTRATION_KEY "sec:symmKeyReg"
#define REGISTRATION_ENROLMENT "sec:enrolment"
#define REGISTRATION_APS "kw:aps"
#define REGISTRATION_EVENT "kw:event"
#define REGISTRATION_WITNESS "kw:witness"

/* Command classes: 0 to 3 are TS-0003 table 12.3.2.2-1, the others project convention. */
enum command_class {
	COMMAND_NO_MORE = 0,
	COMMAND_CERT_PROV = 1,
	COMMAND_DEV_CFG = 2,
	COMMAND_MO_NODE = 3,
	COMMAND_ZIGBEE_APS_PENDING = 0x8001,
	COMMAND_ZIGBEE_FORGET = 0x8002,
};

/* Arguments: TS-0003 tables 12.3.2.3-1 to -4. */
enum command_cert_protocol { COMMAND_EST = 1, COMMAND_SCEP = 2 };
enum command_cert_subject { COMMAND_SUBJECT_NODE = 1, COMMAND_SUBJECT_CSE = 2, COMMAND_SUBJECT_AE = 3 };
/* COMMAND_DM_MEF is a project convention: the client configuration that the MEF itself has for the client (8.3.5.2, 12.4). */
enum command_dev_mgmt { COMMAND_DM_MEF = 0, COMMAND_DM_1_3 = 1, COMMAND_DM_2_0 = 2, COMMAND_LWM2M = 3, COMMAND_TR_069 = 4 };
enum command_object { COMMAND_AUTHENTICATION_PROFILE = 1, COMMAND_TRUST_ANCHOR = 2, COMMAND_MAF_CLIENT_REG = 3 };

/* Command status, TS-0003 table 12.3.2.4-1. */
enum command_status {
	COMMAND_ISSUED = 10,
	COMMAND_REISSUED = 11,
	COMMAND_OK = 20,
	COMMAND_REPEATED_ID = 40,
	COMMAND_CLASS_NOT_SUPPORTED = 41,
	COMMAND_BAD_ARGUMENTS = 42,
	COMMAND_UNACCEPTABLE_ARGUMENTS = 43,
	COMMAND_CERT_SERVER_ERROR = 100,
	COMMAND_CERT_CLIENT_ERROR = 101,
	COMMAND_DEV_CFG_SERVER_ERROR = 201,
	COMMAND_DEV_CFG_CLIENT_ERROR = 202,
	COMMAND_MO_NOT_FOUND = 300,
	COMMAND_MO_TYPE_CONFLICT = 301,
	COMMAND_MO_BAD_ARGUMENTS = 302,
	COMMAND_MO_UNACCEPTABLE_ARGUMENTS = 303,
	COMMAND_MO_INCONSISTENT = 304,
	COMMAND_MO_EXECUTION_ERROR = 305, /* the text calls it PROCESSING_FAILED too */
};

#define REGISTRATION_WAIT_MAX_S 60 /* longest poll for a command */

#endif
