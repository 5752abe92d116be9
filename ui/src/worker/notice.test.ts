import { expect, test } from "vitest";
import { Problem, unreached } from "../lib/problem";
import { noticeIn, permissionFor, unanswered } from "./notice";

const id = "3f2b8c1e-0000-4000-8000-000000000001";

test("an approval can be allowed from its notice only where all of it is shown", () => {
    const make = (allow: boolean) => noticeIn(JSON.stringify({ title: "May it?", body: "npm test", letter: 7, approval: { id, input_hash: "h", allow } })).options.actions.map((a) => a.action);
    expect(make(true)).toEqual(["allow", "deny"]);
    expect(make(false)).toEqual(["deny"]);
});

test("a tap on a button answers exactly what was shown", () => {
    const { data } = noticeIn(JSON.stringify({ letter: 7, approval: { id, input_hash: "h", allow: true } })).options;
    expect(permissionFor("allow", data)).toEqual({ path: `/api/permission/${id}`, body: { decision: "allow", input_hash: "h", letter: 7 } });
    expect(permissionFor("", data)).toBeNull();
    expect(data.path).toBe(`/#/approvals/${id}`);
});

test("what is asked no more is said without a sound, in the place of what asked, and offers nothing", () => {
    const { options } = noticeIn(JSON.stringify({ kind: "closed", tag: `approval:${id}`, body: "Answered: allowed.", letter: 8 }));
    expect([options.silent, options.tag, options.actions]).toEqual([true, `approval:${id}`, []]);
    expect(noticeIn(JSON.stringify({ kind: "approval", letter: 7 })).options.silent).toBeUndefined();
});

test("without its letter nobody could hold an answer to what a lock screen may grant", () => {
    const { actions } = noticeIn(JSON.stringify({ approval: { id, input_hash: "h", allow: true } })).options;
    expect(actions.map((a) => a.action)).toEqual(["deny"]);
});

test("the end of a task leads to the task", () => {
    expect(noticeIn(JSON.stringify({ kind: "done", task: 12, session_id: id, letter: 7 })).options.data.path).toBe("/#/tasks/12");
    expect(noticeIn(JSON.stringify({ kind: "done", task: "12/../x", session_id: id })).options.data.path).toBe(`/#/chat/${id}`);
});

test("a message that is not ours leads nowhere but to the page", () => {
    for (const text of ["", "null", "[1]", "{", '{"approval":{"id":"../x","input_hash":"h","allow":true}}', '{"session_id":"https://example.org"}']) {
        const { options } = noticeIn(text);
        expect([options.data.path, options.actions], text).toEqual(["/", []]);
    }
});

test("an answer that came too late is not said to have been lost", () => {
    expect(unanswered(new Problem("APPROVAL_GONE", "x", "")).title).toBe("It was answered already");
    expect(unanswered(unreached()).title).toBe("Your answer did not get through");
    expect(unanswered(new Problem("GRANT_REFUSED", "This channel may refuse this, but not grant it.", "")).body).toContain("not grant it");
});
