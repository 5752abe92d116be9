// Gives a text to the person as a file: by the phone's own way of sharing where there is one.

export async function save(name: string, text: string): Promise<void> {
    const file = new File([text], name.replaceAll(/[/\\:*?"<>|]/g, "-"), { type: "text/markdown" });
    if (typeof navigator.canShare === "function" && navigator.canShare({ files: [file] })) {
        // Closing the share sheet is no failure.
        await navigator.share({ files: [file] }).catch(() => {});
        return;
    }
    const url = URL.createObjectURL(file);
    const link = Object.assign(document.createElement("a"), { href: url, download: file.name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
