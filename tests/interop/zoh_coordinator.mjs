// SPDX-License-Identifier: GPL-3.0-or-later
// A Zigbee coordinator and Trust Centre by other hands than ours: zigbee-on-host, driving a radio co-processor over TCP, so that it judges our
// radio and our device. (This file alone is under the GPL, as the library is that it runs in; nothing of Keyway links it or is started by it.)
//
//   node zoh_coordinator.mjs '{"port": P, "dir": D, "channel": C, "device": "EUI64", "installCode": "HEX", "linkKey": "fresh|same|refused"}'
//
// What linkKey says is what a device gets that asks for a unique Trust Centre link key: one, the key that it has already, or no answer.
// Events are JSON lines on standard output, its own log goes to standard error. Commands are lines on standard input; their end ends the program:
//   zdo CLUSTER HEX | zcl CLUSTER HEX [ENDPOINT] | state | linkStatus MS
// linkStatus has it tell of its links so often, as it does by itself every 15 s; 0: not at all.
import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { OTRCPDriver } from "zigbee-on-host";
import logging from "zigbee-on-host/dist/utils/logger.js";
import zigbee from "zigbee-on-host/dist/zigbee/zigbee.js";
import stack from "zigbee-on-host/dist/zigbee-stack/stack-context.js";

const HOME_AUTOMATION = 0x0104;
const ENDPOINT = 1;
const PERMIT_S = 254;
const KEY = { LINK: 0, NETWORK: 1, TRANSPORT: 2, LOAD: 3 };

const options = JSON.parse(process.argv[2]);
const device64 = BigInt(`0x${options.device}`);

function tell(event, members = {}) {
	const text = (_, value) => (typeof value === "bigint" ? value.toString(16).padStart(16, "0") : value);
	console.log(JSON.stringify({ event, ...members }, text));
}

// What it warns of is a verdict on what it heard.
function log(level) {
	return (message, subject) => {
		const line = `${subject}: ${typeof message === "function" ? message() : message}`;
		console.error(level, line);
		if (level !== "debug" && level !== "info") tell("complaint", { level, line });
	};
}
logging.setLogger({ debug: log("debug"), info: log("info"), warning: log("warning"), error: log("error") });

const socket = createConnection({ host: "127.0.0.1", port: options.port, noDelay: true });
const driver = new OTRCPDriver(
	socket,
	{
		onFatalError: (message) => tell("complaint", { level: "fatal", line: message }),
		onMACFrame: () => {},
		onGPFrame: () => {},
		onFrame: (source16, source64, aps, payload) => tell("frame", { source16, profile: aps.profileId, cluster: aps.clusterId, payload: payload.toString("hex") }),
		onDeviceJoined: (short, eui64) => tell("joined", { short, eui64 }),
		onDeviceRejoined: (short, eui64) => tell("rejoined", { short, eui64 }),
		onDeviceLeft: (short, eui64) => tell("left", { short, eui64 }),
		onDeviceAuthorized: (short, eui64) => tell("authorized", { short, eui64 }),
	},
	{ txChannel: options.channel, ccaBackoffAttempts: 4, ccaRetries: 3, enableCSMACA: true, headerUpdated: true, reTx: false, securityProcessed: true, txDelay: 0, txDelayBaseTime: 0, rxChannelAfterTxDone: options.channel },
	{
		eui64: randomBytes(8).readBigUInt64LE(),
		panId: 0x1000 + randomBytes(1)[0],
		extendedPanId: randomBytes(8).readBigUInt64LE(),
		channel: options.channel,
		nwkUpdateId: 0,
		txPower: 5,
		networkKey: randomBytes(16),
		networkKeyFrameCounter: 0,
		networkKeySequenceNumber: 0,
		tcKey: randomBytes(16),
		tcKeyFrameCounter: 0,
	},
	options.dir,
);
const { context, apsHandler, nwkHandler } = driver;

// The one link key that zigbee-on-host 0.3.0 opens, seals and verifies with.
function useLinkKey(key) {
	context.netParams.tcKey = key;
	zigbee.registerDefaultHashedKeys(
		zigbee.makeKeyedHashByType(KEY.LINK, key),
		zigbee.makeKeyedHashByType(KEY.NETWORK, context.netParams.networkKey),
		zigbee.makeKeyedHashByType(KEY.TRANSPORT, key),
		zigbee.makeKeyedHashByType(KEY.LOAD, key),
	);
	context.tcVerifyKeyHash = zigbee.makeKeyedHash(key, 0x03);
}

// addInstallCode checks the code's CRC, hashes it and admits its device, but the key goes unused: all sealing is with the global Trust Centre
// key. With one device we can let that be the device's key, which makes zigbee-on-host's own hash of the code the one that the join depends on.
context.trustCenterPolicies.installCode = stack.InstallCodePolicy.REQUIRED;
context.netParams.tcKey = context.addInstallCode(device64, Buffer.from(options.installCode, "hex"));

// To Request-Key it answers with the same global key; that isn't the unique key which a Zigbee 3.0 device insists on. So give it a fresh one,
// sealed under the old as everything is until here, and go over to it: Verify-Key and Confirm-Key are about the new key. The frame is sealed
// before the call first waits, so the change comes after that and before the device can answer.
const { TrustCenterKeyRequestPolicy } = stack;
if (options.linkKey === "fresh") {
	const send = apsHandler.sendTransportKeyTC.bind(apsHandler);
	apsHandler.sendTransportKeyTC = (destination16, _, destination64) => {
		const key = randomBytes(16);
		const sent = send(destination16, key, destination64);
		useLinkKey(key);
		return sent;
	};
} else if (options.linkKey === "refused") {
	context.trustCenterPolicies.allowTCKeyRequest = TrustCenterKeyRequestPolicy.DISALLOWED;
}

// Its own link status, counted; the test hastens and stops it.
let linkStatusTimer;
let linkStatusOff = false;
const sendLinkStatus = nwkHandler.sendLinkStatus.bind(nwkHandler);
nwkHandler.sendLinkStatus = async (links) => {
	if (linkStatusOff) return;
	await sendLinkStatus(links);
	tell("linkStatus", { links });
};

const commands = {
	zdo: (cluster, hex) => driver.sendZDO(Buffer.from(hex, "hex"), context.deviceTable.get(device64).address16, undefined, cluster),
	zcl: (cluster, hex, endpoint = ENDPOINT) =>
		driver.sendUnicast(Buffer.from(hex, "hex"), HOME_AUTOMATION, cluster, context.deviceTable.get(device64).address16, undefined, Number(endpoint), ENDPOINT),
	linkStatus: (ms) => {
		clearInterval(linkStatusTimer);
		linkStatusOff = ms === 0;
		if (ms > 0) linkStatusTimer = setInterval(() => nwkHandler.sendPeriodicZigbeeNWKLinkStatus(), ms);
	},
	state: () => {
		const entry = context.deviceTable.get(device64);
		tell("state", { known: entry !== undefined, authorized: entry?.authorized, short: entry?.address16, neighbor: entry?.neighbor, capabilities: entry?.capabilities, timeoutMs: entry?.endDeviceTimeout?.timeoutMs });
	},
};

socket.on("error", (error) => tell("complaint", { level: "socket", line: error.message }));
await driver.resetStack();
await driver.start();
await driver.formNetwork();
context.allowJoins(PERMIT_S, true);
tell("ready", { ncp: driver.ncpVersion, eui64: context.netParams.eui64 });

for await (const line of createInterface({ input: process.stdin })) {
	const [name, cluster, ...rest] = line.split(" ");
	await commands[name](Number(cluster), ...rest);
}
clearInterval(linkStatusTimer);
await driver.stop();
socket.destroy();
