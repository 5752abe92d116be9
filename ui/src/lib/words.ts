// The agent's words while they are being written. They are lossy: what is missing is left out and marked, and the finished
// text, which is a fact, takes their place.

import type { PartialWords } from "./api/wire";

/** Words without a gap between them; `at` and `end` count bytes of the block. */
interface Piece {
    at: number;
    end: number;
    text: string;
}

export interface Block {
    message: string;
    block: number;
    thinking: boolean;
    pieces: Piece[];
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

export class Words {
    blocks: Block[] = [];
    /** Finished texts by message: a late piece of one of them is not news. */
    private finished: { message: string; text: string; block: number | null }[] = [];

    hear(partial: PartialWords): void {
        const block = this.blocks.find((b) => b.message === partial.message && b.block === partial.block);
        if (block) add(block, partial);
        else if (!this.isLate(partial)) this.blocks.push({ message: partial.message, block: partial.block, thinking: partial.thinking, pieces: [piece(partial)] });
    }

    /** A block's finished text is here: what was shown of it goes. */
    finish(message: string, text: string): void {
        const words = this.blocks.filter((b) => b.message === message && !b.thinking);
        const done = words.find((b) => text.startsWith(b.pieces[0]?.at === 0 ? b.pieces[0].text : "\u0000")) ?? words.find((b) => (b.pieces[0]?.at ?? 0) > 0);
        this.finished.push({ message, text, block: done?.block ?? null });
        this.blocks = this.blocks.filter((b) => b !== done && !(b.thinking && b.message === message));
    }

    /** The message went on to something else: it thinks no more. */
    thought(): void {
        this.blocks = this.blocks.filter((b) => !b.thinking);
    }

    /** The turn is over. */
    clear(): void {
        this.blocks = [];
        this.finished = [];
    }

    private isLate(partial: PartialWords): boolean {
        return this.finished.some(({ message, text, block }) => {
            if (message !== partial.message || partial.thinking) return false;
            if (block !== null) return partial.block <= block;
            return sliceBytes(text, partial.offset, bytes(partial.text)) === partial.text;
        });
    }
}

function add(block: Block, partial: PartialWords): void {
    const last = block.pieces.at(-1);
    if (!last || partial.offset > last.end) block.pieces.push(piece(partial));
    else if (partial.offset === last.end) {
        last.text += partial.text;
        last.end += bytes(partial.text);
    }
}

function piece({ offset, text }: PartialWords): Piece {
    return { at: offset, end: offset + bytes(text), text };
}

function sliceBytes(text: string, at: number, length: number): string {
    return new TextDecoder().decode(new TextEncoder().encode(text).subarray(at, at + length));
}

/** What is known of a block, with a mark where words are missing. */
export function known(block: Block): string {
    const words = block.pieces.map((p) => p.text).join(" […] ");
    return (block.pieces[0]?.at ?? 0) > 0 ? `[…] ${words}` : words;
}

export function hasGap(block: Block): boolean {
    return block.pieces.length > 1 || (block.pieces[0]?.at ?? 0) > 0;
}
