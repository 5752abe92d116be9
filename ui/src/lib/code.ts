// The pairing code: it comes in the address's fragment, which no server sees.

/** The code in `#c=…`, also within a whole address that was pasted. */
export function codeIn(text: string): string | null {
    return /#(?:[^\s#]*&)?c=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? null;
}

/** Takes the code out of the address bar, so that neither history nor a shoulder keeps it. */
export function takeCode(): string | null {
    const code = codeIn(location.hash);
    if (code !== null) history.replaceState(null, "", "/");
    return code;
}
