/* A Z-Wave device that joins by S2, made of zwave-js: its codecs, its derivations, its nonces; the order of things is ours. Settings: a JSON object as the argument
 * (home, own, controller: Home ID and Node IDs; asks: bits of the classes that it wants; curve: bits of the curves that it offers). Frames come and go as
 * lines of JSON, {"frame": HEX}; {"dsk"} comes first, {"granted": {class: key}} or {"failed": reason} last. */
import { CommandClass, ECDHProfiles, InvalidCC, KEXSchemes, Security2CC, Security2CCKEXFail, Security2CCKEXGet, Security2CCKEXReport, Security2CCKEXSet,
	Security2CCMessageEncapsulation, Security2CCNetworkKeyGet, Security2CCNetworkKeyReport, Security2CCNetworkKeyVerify, Security2CCNonceGet,
	Security2CCNonceReport, Security2CCPublicKeyReport, Security2CCTransferEnd } from "@zwave-js/cc";
import { SecurityClass, SecurityManager2, computePRKAsync, deriveTempKeysAsync, extractRawECDHPublicKeySync, generateECDHKeyPairSync,
	importRawECDHPublicKeySync } from "@zwave-js/core";
import { diffieHellman } from "node:crypto";
import { createInterface } from "node:readline";

const settings = JSON.parse(process.argv[2]);
const CLASSES = [[0x04, SecurityClass.S2_AccessControl], [0x02, SecurityClass.S2_Authenticated], [0x01, SecurityClass.S2_Unauthenticated]];
const sm = await SecurityManager2.create();
const pair = generateECDHKeyPairSync();
const point = extractRawECDHPublicKeySync(pair.publicKey);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let grantedClass; // that the controller's commands count as sealed under
const context = {
	homeId: settings.home, ownNodeId: settings.own, sourceNodeId: settings.controller, nodeId: settings.own, securityManager2: sm, frameType: "singlecast",
	getHighestSecurityClass: () => grantedClass ?? SecurityClass.Temporary, hasSecurityClass: (_, c) => c === grantedClass, setSecurityClass: () => {},
	getDeviceConfig: () => undefined, getSupportedCCVersion: () => 1,
};
const address = { nodeId: settings.controller };

async function send(cc) {
	const octets = await cc.serializeAsync(context);
	say({ frame: Buffer.from(octets).toString("hex") });
}
const seal = (cc, securityClass) => send(Security2CC.encapsulate(cc, settings.own, { securityManager2: sm }, { securityClass }));

/* Sends once the controller has given its entropy. */
let afterNonce;
async function withNonce(action) {
	afterNonce = action;
	await send(new Security2CCNonceGet(address));
}
function stop(result) {
	say(result);
	process.exitCode = 0;
	lines.close();
}

let granted = [], keys = {}, state = "start";
const askNext = () => seal(new Security2CCNetworkKeyGet({ ...address, requestedKey: granted[Object.keys(keys).length] }));

async function agree(theirs) {
	const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: importRawECDHPublicKeySync(theirs) });
	const t = await deriveTempKeysAsync(await computePRKAsync(shared, theirs, point));
	sm.deleteNonce(settings.controller);
	sm.tempKeys.set(settings.controller, { keyCCM: t.tempKeyCCM, personalizationString: t.tempPersonalizationString });
}

async function onKey(cc) {
	keys[cc.grantedKey] = Buffer.from(cc.networkKey).toString("hex");
	await sm.setKeyAsync(cc.grantedKey, cc.networkKey);
	grantedClass = cc.grantedKey;
	state = "verifying";
	await withNonce(() => seal(new Security2CCNetworkKeyVerify(address), cc.grantedKey));
}

async function onTransferEnd() {
	if (Object.keys(keys).length < granted.length)
		return askNext();
	await seal(new Security2CCTransferEnd({ ...address, keyVerified: false, keyRequestComplete: true }));
	stop({ granted: keys });
}

async function on(cc) {
	if (cc instanceof Security2CCMessageEncapsulation)
		cc = cc.encapsulated;
	if (cc instanceof InvalidCC)
		return settings.resync ? resync() : say({ invalid: String(cc.reason) });
	if (cc instanceof Security2CCKEXGet)
		return send(new Security2CCKEXReport({ ...address, echo: false, requestCSA: false, supportedKEXSchemes: [KEXSchemes.KEXScheme1],
			supportedECDHProfiles: [ECDHProfiles.Curve25519], requestedKeys: CLASSES.filter(([bit]) => settings.asks & bit).map(([, c]) => c) }));
	if (cc instanceof Security2CCKEXSet) {
		granted = CLASSES.map(([, c]) => c).filter((c) => cc.grantedKeys.includes(c));
		/* A person types the first digits of the label: the device leaves them out. */
		const shown = Buffer.from(point);
		shown.fill(0, 0, 2);
		heardSet = cc;
		return send(new Security2CCPublicKeyReport({ ...address, includingNode: false, publicKey: shown }));
	}
	if (cc instanceof Security2CCPublicKeyReport) {
		await agree(cc.publicKey);
		return withNonce(() => seal(new Security2CCKEXSet({ ...address, echo: true, permitCSA: heardSet.permitCSA, _reserved: heardSet._reserved,
			selectedKEXScheme: heardSet.selectedKEXScheme, selectedECDHProfile: heardSet.selectedECDHProfile, grantedKeys: heardSet.grantedKeys })));
	}
	if (cc instanceof Security2CCNonceReport) {
		const action = afterNonce;
		afterNonce = undefined;
		return action?.();
	}
	if (cc instanceof Security2CCNonceGet) {
		if (state === "verifying") { // what comes now is under the temporary key again
			state = "asking";
			grantedClass = undefined;
			sm.deleteNonce(settings.controller);
		}
		return resync();
	}
	if (cc instanceof Security2CCKEXReport && cc.echo)
		return askNext();
	if (cc instanceof Security2CCNetworkKeyReport)
		return onKey(cc);
	if (cc instanceof Security2CCTransferEnd)
		return onTransferEnd();
	if (cc instanceof Security2CCKEXFail)
		return stop({ failed: cc.failType });
	say({ unexpected: cc?.constructor?.name });
}
const resync = async () => send(new Security2CCNonceReport({ ...address, SOS: true, MOS: false, receiverEI: await sm.generateNonceAsync(settings.controller) }));

let heardSet;
const dsk = [];
for (let i = 0; i < 16; i += 2)
	dsk.push(String(point[i] * 256 + point[i + 1]).padStart(5, "0"));
const lines = createInterface({ input: process.stdin });
say({ dsk: dsk.join("-") });
for await (const line of lines) {
	try {
		await on(await CommandClass.parseAsync(Buffer.from(JSON.parse(line).frame, "hex"), context));
	} catch (e) {
		say({ error: String(e) });
	}
}
