// What an application does through the official client, step by step, against
// a running executable. Prints one line per step, as TAP does; the steps build
// on one another, so the first failure ends the run.
import assert from "node:assert/strict";
import PocketBase from "pocketbase";
import { EventSource } from "eventsource";

globalThis.EventSource = EventSource;

const [url, email, password] = process.argv.slice(2);
const root = new PocketBase(url); // the superuser
const anna = new PocketBase(url); // a member
const stranger = new PocketBase(url); // nobody
for (const client of [root, anna, stranger]) client.autoCancellation(false);

const refused = async (promise, status) => {
    await assert.rejects(promise, (err) => {
        assert.equal(err.status, status, `status ${err.status}, not ${status}: ${err.message}`);
        return true;
    });
};

const within = (promise, what, ms = 10_000) => {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

let things, annaId, first;

const steps = {
    "health": async () => {
        assert.equal((await stranger.health.check()).code, 200);
    },
    "superuser auth": async () => {
        await refused(root.collection("_superusers").authWithPassword(email, "wrong-password"), 400);
        const auth = await root.collection("_superusers").authWithPassword(email, password);
        assert.ok(root.authStore.isValid && root.authStore.isSuperuser);
        assert.equal(auth.record.email, email);
    },
    "collections": async () => {
        const users = await root.collections.getOne("users");
        things = await root.collections.create({
            name: "things",
            type: "base",
            listRule: "", viewRule: "",
            createRule: "@request.auth.id != '' && owner = @request.auth.id",
            updateRule: "owner = @request.auth.id",
            deleteRule: "owner = @request.auth.id",
            fields: [
                { name: "title", type: "text", required: true, max: 80 },
                { name: "count", type: "number" },
                { name: "owner", type: "relation", collectionId: users.id, maxSelect: 1 },
                { name: "open", type: "file", maxSelect: 2, maxSize: 1 << 20 },
                { name: "created", type: "autodate", onCreate: true },
            ],
        });
        const changed = await root.collections.update(things.id, {
            fields: [...things.fields, { name: "extra", type: "json" }],
        });
        assert.ok(changed.fields.some((f) => f.name === "extra"));
        await root.collections.create({
            name: "vaults", type: "base",
            viewRule: "owner = @request.auth.id", createRule: "owner = @request.auth.id",
            fields: [
                { name: "owner", type: "relation", collectionId: users.id, maxSelect: 1 },
                { name: "secret", type: "file", maxSelect: 1, maxSize: 1 << 20, protected: true },
            ],
        });
        await refused(stranger.collections.getFullList(), 401);
    },
    "users auth": async () => {
        const created = await root.collection("users").create({
            email: "anna@example.com", password: "anna-password", passwordConfirm: "anna-password",
            name: "Anna", verified: true,
        });
        annaId = created.id;
        await anna.collection("users").authWithPassword("anna@example.com", "anna-password");
        assert.equal(anna.authStore.record.id, annaId);
        const before = anna.authStore.token;
        await anna.collection("users").authRefresh();
        assert.ok(anna.authStore.isValid && before);
        const methods = await stranger.collection("users").listAuthMethods();
        assert.equal(methods.password.enabled, true);
    },
    "create": async () => {
        first = await anna.collection("things").create({ title: "First", count: 1, owner: annaId, extra: { a: [1] } });
        assert.equal(first.title, "First");
        assert.deepEqual(first.extra, { a: [1] });
        await refused(stranger.collection("things").create({ title: "No" }), 400);
        const err = await anna.collection("things").create({ owner: annaId }).catch((e) => e);
        assert.equal(err.response.data.title.code, "validation_required");
        for (let i = 2; i <= 7; i++) {
            await anna.collection("things").create({ title: `Thing ${i}`, count: i, owner: annaId });
        }
    },
    "list, filter, sort, fields": async () => {
        const page = await stranger.collection("things").getList(2, 3, { sort: "-count" });
        assert.equal(page.totalItems, 7);
        assert.deepEqual(page.items.map((r) => r.count), [4, 3, 2]);
        const some = await stranger.collection("things").getFullList({
            filter: stranger.filter("count > {:low} && title ~ {:word}", { low: 3, word: "hing" }),
            sort: "count", fields: "title",
        });
        assert.deepEqual(some, [4, 5, 6, 7].map((n) => ({ title: `Thing ${n}` })));
        const one = await stranger.collection("things").getFirstListItem("count = 5");
        assert.equal(one.title, "Thing 5");
        await refused(stranger.collection("things").getList(1, 1, { filter: "nonsense ~~ 1" }), 400);
    },
    "view, expand": async () => {
        const seen = await anna.collection("things").getOne(first.id, { expand: "owner" });
        assert.equal(seen.expand.owner.name, "Anna");
        const hidden = await stranger.collection("things").getOne(first.id, { expand: "owner" });
        assert.equal(hidden.expand?.owner, undefined);
        await refused(stranger.collection("things").getOne("missing12345678"), 404);
    },
    "update": async () => {
        const changed = await anna.collection("things").update(first.id, { "count+": 10, title: "Changed" });
        assert.equal(changed.count, 11);
        await refused(stranger.collection("things").update(first.id, { title: "Mine" }), 404);
    },
    "files": async () => {
        const text = "what is written in the file";
        const changed = await anna.collection("things").update(first.id, {
            "open+": [new File([text], "a note.txt", { type: "text/plain" })],
        });
        assert.equal(changed.open.length, 1);
        const open = await fetch(stranger.files.getURL(changed, changed.open[0]));
        assert.equal(open.status, 200);
        assert.equal(await open.text(), text);
        const without = await anna.collection("things").update(first.id, { "open-": [changed.open[0]] });
        assert.equal(without.open.length, 0);
        assert.equal((await fetch(stranger.files.getURL(changed, changed.open[0]))).status, 404);
    },
    "protected files": async () => {
        const vault = await anna.collection("vaults").create({
            owner: annaId, secret: new File(["secret"], "secret.txt"),
        });
        assert.equal((await fetch(stranger.files.getURL(vault, vault.secret))).status, 404);
        const token = await anna.files.getToken();
        const shown = await fetch(anna.files.getURL(vault, vault.secret, { token }));
        assert.equal(await shown.text(), "secret");
        await refused(stranger.files.getToken(), 401);
    },
    "realtime": async () => {
        const events = [];
        let arrived;
        const both = new Promise((resolve) => { arrived = resolve; });
        await within(stranger.collection("things").subscribe("*", (e) => {
            events.push(`${e.action} ${e.record.title}`);
            if (events.length === 2) arrived();
        }), "subscribe");
        const live = await anna.collection("things").create({ title: "Live", owner: annaId });
        await anna.collection("things").delete(live.id);
        await within(both, "two events");
        assert.deepEqual(events, ["create Live", "delete Live"]);
        await stranger.collection("things").unsubscribe();
        assert.equal(stranger.realtime.isConnected, false);
    },
    "batch": async () => {
        await root.settings.update({ batch: { enabled: true, maxRequests: 20, timeout: 5 } });
        const good = anna.createBatch();
        good.collection("things").create({ title: "Batch 1", owner: annaId });
        good.collection("things").update(first.id, { count: 100 });
        const answers = await good.send();
        assert.deepEqual(answers.map((a) => a.status), [200, 200]);
        assert.equal((await stranger.collection("things").getOne(first.id)).count, 100);
        const bad = anna.createBatch();
        bad.collection("things").update(first.id, { count: 200 });
        bad.collection("things").create({ owner: annaId });
        await refused(bad.send(), 400);
        assert.equal((await stranger.collection("things").getOne(first.id)).count, 100);
    },
    "delete": async () => {
        await refused(stranger.collection("things").delete(first.id), 404);
        assert.equal(await anna.collection("things").delete(first.id), true);
        await refused(stranger.collection("things").getOne(first.id), 404);
    },
    "closed collections stay closed": async () => {
        for (const name of ["staff", "settings", "audit"]) {
            for (const client of [stranger, anna]) {
                const shown = await client.collection(name).getFullList().catch((err) => {
                    assert.equal(err.status, 403);
                    return [];
                });
                assert.deepEqual(shown, [], name);
            }
        }
        await refused(stranger.collection("users").create({
            email: "new@example.com", password: "new-password", passwordConfirm: "new-password",
        }), 403);
    },
    "posts": async () => {
        const day = 24 * 3600 * 1000;
        const make = (slug, status, at) => root.collection("posts").create({
            title: slug, slug, status, published_at: new Date(at).toISOString(), format: "markdown", body: "Hello *world*",
        });
        await make("client-live", "published", Date.now() - day);
        const later = await make("client-later", "scheduled", Date.now() + day);
        const draft = await make("client-draft", "draft", Date.now() - day);
        const seen = await stranger.collection("posts").getFullList({ filter: "slug ~ 'client-'" });
        assert.deepEqual(seen.map((p) => p.slug), ["client-live"]);
        for (const hidden of [later, draft]) await refused(stranger.collection("posts").getOne(hidden.id), 404);
        const err = await anna.collection("posts").create({ title: "x", slug: "x" }).catch((e) => e);
        assert.ok([400, 403].includes(err.status), `a member wrote a post: ${err.status}`);
    },
    "backups and logs": async () => {
        await root.backups.create("client_test.zip");
        assert.ok((await root.backups.getFullList()).some((b) => b.key === "client_test.zip"));
        await root.backups.delete("client_test.zip");
        assert.ok(Array.isArray((await root.logs.getList(1, 1)).items));
    },
};

for (const [name, step] of Object.entries(steps)) {
    try {
        await step();
        console.log(`ok - ${name}`);
    } catch (err) {
        console.log(`not ok - ${name}`);
        console.log(err.stack, err.response ? JSON.stringify(err.response) : "");
        process.exit(1);
    }
}
console.log("done");
process.exit(0);
