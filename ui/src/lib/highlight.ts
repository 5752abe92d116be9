// Code in colours: the languages an agent answers in most. Loaded when the first piece of code is looked at.

import { createLowlight } from "lowlight";
import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

export interface Run {
    text: string;
    /** `keyword`, `string` and so on; empty for what has no colour. */
    kind: string;
}

/** Past this a phone would stutter. */
const LARGEST = 40_000;

const lowlight = createLowlight({ bash, css, go, ini, java, javascript, json, python, rust, sql, typescript, xml, yaml });

/** Nothing where the language is not known. */
export function highlight(code: string, language: string): Run[] | null {
    const name = language.trim().split(/[\s,{]/, 1)[0]?.toLowerCase() ?? "";
    if (code.length > LARGEST || !lowlight.registered(name)) return null;
    const runs: Run[] = [];
    for (const node of lowlight.highlight(name, code).children) walk(node, "", runs);
    return runs;
}

type Node = { type: string; value?: string; children?: Node[]; properties?: { className?: unknown } };

function walk(node: Node, kind: string, runs: Run[]): void {
    if (node.type === "text") {
        runs.push({ text: node.value ?? "", kind });
        return;
    }
    const names = node.properties?.className;
    const own = Array.isArray(names) ? String(names[0] ?? "").replace(/^hljs-/, "") : kind;
    for (const child of node.children ?? []) walk(child, own, runs);
}
