// Light or dark: as the system says, or as was chosen here.

export type Look = "system" | "light" | "dark";

const KEPT = "lanyard.look";

export class Looks {
    look = $state<Look>(kept());

    /** Keeps the page as it was chosen. */
    apply(): void {
        if (this.look === "system") delete document.documentElement.dataset["look"];
        else document.documentElement.dataset["look"] = this.look;
    }

    choose(look: Look): void {
        this.look = look;
        this.apply();
        try {
            localStorage.setItem(KEPT, look);
        } catch {
            // Chosen for this time only.
        }
    }

    next(): void {
        const order: Look[] = ["system", "light", "dark"];
        this.choose(order[(order.indexOf(this.look) + 1) % order.length] ?? "system");
    }
}

function kept(): Look {
    try {
        const look = localStorage.getItem(KEPT);
        return look === "light" || look === "dark" ? look : "system";
    } catch {
        return "system";
    }
}
