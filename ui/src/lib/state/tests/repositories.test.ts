import { expect, test } from "vitest";
import { Problem } from "../../problem";
import { Repositories, hostIn } from "../repositories.svelte";
import { FakeHost } from "./stand";

test("a forge is known by what is typed, and the usual one where none is", () => {
    const typed = { "": "github.com", "acme/shop": "github.com", "my.name/shop": "my.name", "gitlab.com/a/b": "gitlab.com", "https://GHE.example:8443/a/b": "ghe.example:8443", "git@gitlab.com:a/b.git": "gitlab.com", "gitlab.com": "github.com" };
    expect(Object.keys(typed).map(hostIn)).toEqual(Object.values(typed));
});

test("repositories and branches are asked for once", async () => {
    const host = new FakeHost();
    host.answers = { "GET /api/repositories?host=github.com": () => ({ repositories: [{ repository: "acme/shop", default_branch: "trunk", private: true }] }), "GET /api/branches?repository=acme%2Fshop": () => ({ branches: ["trunk", "next"] }) };
    const repositories = new Repositories(host);
    await Promise.all([repositories.load(""), repositories.load("acme")]);
    await repositories.load("acme/shop");
    await repositories.loadBranches(" acme/shop ");
    await repositories.loadBranches("acme/shop");
    await repositories.loadBranches("acme");
    expect([repositories.usualBranch("acme/shop"), repositories.branches("acme/shop"), host.asked.length]).toEqual(["trunk", ["trunk", "next"], 2]);
});

test("a forge that says nothing says why, and is asked again later", async () => {
    const host = new FakeHost();
    host.answers = {
        "GET /api/repositories": () => {
            throw new Problem("NO_FORGE", "There is no token for this forge yet.", "Keep one.");
        },
    };
    const repositories = new Repositories(host);
    await repositories.load("acme/shop");
    expect([repositories.why("acme/shop")?.code, repositories.of("acme/shop")]).toEqual(["NO_FORGE", []]);
    host.answers = { "GET /api/repositories": () => ({ repositories: [] }) };
    await repositories.load("acme/shop");
    expect(repositories.why("acme/shop")).toBeUndefined();
});
