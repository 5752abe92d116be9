// What opens over a page: Escape or a press beside it closes it, and the focus returns to where it was.

import type { Attachment } from "svelte/attachments";

/** For the `dialog` itself: it opens as it is shown. */
export function modal(close: () => void): Attachment<HTMLDialogElement> {
    return (dialog) => {
        const cancel = (event: Event) => {
            event.preventDefault();
            close();
        };
        const beside = (event: MouseEvent) => {
            if (event.target === dialog) close();
        };
        dialog.addEventListener("cancel", cancel);
        dialog.addEventListener("click", beside);
        if (!dialog.open) dialog.showModal();
        return () => {
            dialog.removeEventListener("cancel", cancel);
            dialog.removeEventListener("click", beside);
        };
    };
}
