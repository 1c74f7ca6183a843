// CoAP by the package `coap`, driven by lines of JSON on standard input; what happens goes to standard output, likewise. It also serves: whatever comes is
// told, and answered with 2.04 and oneM2M-RSC 2000.
//   {"id": N, "url": ..., "method": ..., "options": [[NAME or NUMBER, BASE64]...], "payload": BASE64}
import { createInterface } from "node:readline";
import coap from "coap";

const RSC = "307", RQI = "283";
const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");
const options = (o) => o.map((x) => [String(x.name), Buffer.isBuffer(x.value) ? x.value.toString("base64") : Buffer.from(String(x.value)).toString("base64")]);

const server = coap.createServer((rq, rsp) => {
	tell("request", { method: rq.method, url: rq.url, options: options(rq.options), payload: rq.payload.toString("base64") });
	rsp.code = "2.04";
	rsp.setOption(RSC, Buffer.of(2000 >> 8, 2000 & 255));
	for (const o of rq.options.filter((x) => x.name === RQI || x.name === 283))
		rsp.setOption(RQI, o.value);
	rsp.end();
});
server.listen(0, "127.0.0.1", () => tell("listening", { port: server._sock.address().port }));

createInterface({ input: process.stdin }).on("line", (line) => {
	const command = JSON.parse(line), url = new URL(command.url);
	const rq = coap.request({ hostname: url.hostname, port: Number(url.port), pathname: url.pathname, query: url.search.slice(1), method: command.method, confirmable: true });
	for (const [name, value] of command.options)
		rq.setOption(name, Buffer.from(value, "base64"));
	if (command.payload.length > 1200)
		rq.setOption("Block1", Buffer.of(6)); // begins blocks of 1024
	rq.on("response", (rsp) => tell("response", { id: command.id, code: rsp.code, options: options(rsp.options), payload: rsp.payload.toString("base64") }));
	rq.on("error", (e) => tell("failed", { id: command.id, text: String(e.message) }));
	rq.end(command.payload ? Buffer.from(command.payload, "base64") : undefined);
}).on("close", () => process.exit(0));
