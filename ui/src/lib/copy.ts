// Puts a text where it can be pasted from.

/** Whether it is there. */
export async function copied(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return byHand(text);
    }
}

/** Where a page may not write to the clipboard by itself, a person's press may. */
function byHand(text: string): boolean {
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    field.className = "said-only";
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
}
