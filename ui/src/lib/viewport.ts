// How much of the screen the keyboard leaves. Where it lies over the page (iOS), the page is made as high as what can be seen;
// where it makes the page smaller, that has happened by itself.

/** Less than this is an address bar, not a keyboard. */
const KEYBOARD_PX = 140;

/** Keeps `--height` and `data-keyboard` on the root element true. */
export function watchViewport(root: HTMLElement): () => void {
    const view = window.visualViewport;
    if (!view) return () => {};
    let tallest = { width: 0, height: 0 };
    const measure = () => {
        // Zoomed in by fingers, the visible part says nothing about the keyboard.
        if (view.scale > 1.01) return;
        if (tallest.width !== view.width) tallest = { width: view.width, height: 0 };
        tallest.height = Math.max(tallest.height, view.height);
        root.style.setProperty("--height", `${view.height}px`);
        root.toggleAttribute("data-keyboard", tallest.height - view.height > KEYBOARD_PX);
        // iOS scrolls the page under the keyboard; it has nothing to show there.
        if (view.offsetTop > 0) window.scrollTo(0, 0);
    };
    measure();
    view.addEventListener("resize", measure);
    view.addEventListener("scroll", measure);
    return () => {
        view.removeEventListener("resize", measure);
        view.removeEventListener("scroll", measure);
    };
}
