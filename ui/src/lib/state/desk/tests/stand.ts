// What the tests of the window's state stand on: the gateway in memory, with what only the desk has.

import type { DeskReach } from "../../../host/desk";
import type { Method } from "../../../host";
import { FakeHost } from "../../tests/stand";

export class FakeDesk extends FakeHost implements DeskReach {
    readonly native = null;
    /** After each line. */
    heard = () => {};

    async eachLine<T>(method: Method, path: string, body: unknown, heard: (line: T) => void): Promise<void> {
        for (const line of await this.request<T[]>(method, path, body)) {
            heard(line);
            this.heard();
        }
    }
}

/** What was asked, as `POST /phones/x`, with its body. */
export const asked = (host: FakeHost, beginning: string) => host.asked.filter(({ method, path }) => `${method} ${path}`.startsWith(beginning)).map(({ body }) => body);
