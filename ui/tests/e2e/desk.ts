// A browser at a real gateway's local door, which is a socket file: carried to a port of this computer for as long as a test takes.

import { readFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer, request as ask } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };
/** As the local door sends it with the window's page. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self' ipc: http://ipc.localhost; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Carried {
    url: string;
    stop(): Promise<void>;
}

/** The page comes from this folder's build, everything else from the gateway. */
export async function carry(socketPath: string): Promise<Carried> {
    const server = createServer((request, response) => {
        const path = new URL(request.url ?? "/", "http://local").pathname;
        if (path === "/" || /^\/(assets|icons)\//.test(path)) return file(path, response);
        through(socketPath, request, response);
    });
    server.on("upgrade", (request, client, head) => {
        const gateway = connect(socketPath, () => {
            const lines = [`${request.method} ${request.url} HTTP/1.1`];
            for (let n = 0; n < request.rawHeaders.length; n += 2) lines.push(`${request.rawHeaders[n]}: ${/^(host|origin)$/i.test(request.rawHeaders[n] ?? "") ? "local" : request.rawHeaders[n + 1]}`);
            gateway.write(`${lines.filter((line) => !/^origin/i.test(line)).join("\r\n")}\r\n\r\n`);
            gateway.write(head);
            gateway.pipe(client).pipe(gateway);
        });
        gateway.on("error", () => client.destroy());
        client.on("error", () => gateway.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    return {
        url: `http://127.0.0.1:${port}`,
        stop: async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

function through(socketPath: string, request: IncomingMessage, response: ServerResponse): void {
    const { origin: _, ...headers } = request.headers;
    const asked = ask({ socketPath, method: request.method, path: request.url, headers: { ...headers, host: "local" } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    request.pipe(asked);
}

function file(path: string, response: ServerResponse): void {
    const name = path === "/" ? "index.html" : normalize(path);
    response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": POLICY, "x-content-type-options": "nosniff" });
    response.end(readFileSync(join(DIST, name)));
}
