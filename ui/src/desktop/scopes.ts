// What may be given to a phone or a script, in words.

import type { ScopeWord } from "../lib/api/wire";

export const SCOPES: Partial<Record<ScopeWord, string>> = { read: "Read sessions", chat: "Talk to agents", approve: "Answer approvals", tasks: "Hand out tasks" };
