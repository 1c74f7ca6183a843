// A WebSocket by the package `ws`, driven by lines of JSON on standard input; what happens goes to standard output, likewise.
//   argument: {"url": ..., "protocol": ..., "ca": FILE, "cert": FILE, "key": FILE, "autoPong": bool}
//   {"send": BASE64, "binary": bool}   {"ping": true}   {"close": CODE}
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const settings = JSON.parse(process.argv[2]);
const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");
const file = (name) => (settings[name] ? readFileSync(settings[name]) : undefined);

const socket = new WebSocket(settings.url, settings.protocol, {
	ca: file("ca"), cert: file("cert"), key: file("key"), autoPong: settings.autoPong ?? true,
	// the certificates of a plant name entities, not addresses; who is there is the test's own CSE
	checkServerIdentity: () => undefined,
});
socket.on("open", () => tell("open", { protocol: socket.protocol }));
socket.on("message", (data, binary) => tell("message", { binary, data: data.toString("base64") }));
socket.on("ping", () => tell("ping"));
socket.on("pong", () => tell("pong"));
socket.on("error", (e) => tell("error", { text: String(e.message) }));
socket.on("close", (code) => {
	tell("closed", { code });
	process.exit(0);
});
createInterface({ input: process.stdin }).on("line", (line) => {
	const command = JSON.parse(line);
	if (command.send !== undefined) {
		const octets = Buffer.from(command.send, "base64");
		socket.send(command.binary ? octets : octets.toString("utf8"), { binary: command.binary });
	} else if (command.ping) {
		socket.ping();
	} else if (command.close) {
		socket.close(command.close);
	}
});
