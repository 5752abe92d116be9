// The time, for what says how long ago and how long still. It runs only while somebody looks.

import { createSubscriber } from "svelte/reactivity";

const EVERY_MS = 5_000;

class Clock {
    private readonly subscribe = createSubscriber((update) => {
        const timer = setInterval(update, EVERY_MS);
        return () => clearInterval(timer);
    });

    get now(): number {
        this.subscribe();
        return Date.now();
    }
}

export const clock = new Clock();
