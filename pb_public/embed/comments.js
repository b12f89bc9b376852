// Comments below a page of any site:
//   <script src="https://your.site/embed/comments.js" defer data-thread="…" data-sort="oldest"></script>
// The thread stands where the script does, or in the element that data-target names. Colours and face
// come from --comments-text, -muted, -line, -surface, -accent and -font. No cookie is set or read.
(() => {
  "use strict";
  const me = document.currentScript, set = me.dataset, origin = new URL(me.src).origin;
  const canonical = document.querySelector("link[rel=canonical]");
  const thread = set.thread || (canonical ? canonical.href : location.href);
  const lang = (set.lang || document.documentElement.lang || navigator.language || "en").slice(0, 2);
  const EN = {
    title: "Comments", one: "1 comment", many: "%s comments", reply: "Reply", to: "Answer to %s", write: "Write a comment", body: "Comment",
    name: "Name", email: "Email", optional: "optional", hidden: "It is not shown to anyone.", send: "Send", cancel: "Cancel", more: "Show more",
    sent: "Thank you. Your comment is published.", held: "Thank you. Your comment appears here as soon as somebody has read it.",
    failed: "That did not work. Please try again.", closed: "Comments are closed.", removed: "This comment was removed.", author: "Author",
    pinned: "Pinned", edited: "edited", react: "React with %s", edit: "Edit", del: "Delete", save: "Save", waits: "Waiting to be read",
    notify: "Write to me when somebody answers", load: "The comments can't be loaded at the moment.",
  };
  const DE = {
    title: "Kommentare", one: "1 Kommentar", many: "%s Kommentare", reply: "Antworten", to: "Antwort an %s", write: "Kommentar schreiben", body: "Kommentar",
    name: "Name", email: "E-Mail", optional: "freiwillig", hidden: "Sie wird niemandem gezeigt.", send: "Senden", cancel: "Abbrechen", more: "Mehr zeigen",
    sent: "Danke. Ihr Kommentar ist veröffentlicht.", held: "Danke. Ihr Kommentar erscheint hier, sobald ihn jemand gelesen hat.",
    failed: "Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.", closed: "Die Kommentare sind geschlossen.", removed: "Dieser Kommentar wurde entfernt.",
    author: "Autor:in", pinned: "Angeheftet", edited: "bearbeitet", react: "Mit %s reagieren", edit: "Bearbeiten", del: "Löschen", save: "Speichern",
    waits: "Wartet auf Freigabe", notify: "Schreiben Sie mir, wenn jemand antwortet", load: "Die Kommentare lassen sich gerade nicht laden.",
  };
  const T = lang === "de" ? DE : EN, say = (key, ...args) => args.reduce((s, a) => s.replace("%s", () => a), T[key]);

  const CSS = `
:host { display: block; container-type: inline-size; color: var(--comments-text, inherit); font: 1rem/1.55 var(--comments-font, inherit); --m: var(--comments-muted, color-mix(in srgb, currentColor 72%, transparent)); --l: var(--comments-line, color-mix(in srgb, currentColor 22%, transparent)); --s: var(--comments-surface, color-mix(in srgb, currentColor 6%, transparent)); --a: var(--comments-accent, currentColor); }
:host([hidden]) { display: none; } * { box-sizing: border-box; } h2, h3, p, ol, form, article, header { margin: 0; padding: 0; } h2 { font-size: 1.4em; } h3 { font-size: 1.1em; }
section > * + * { margin-block-start: 1.25rem; } ol { list-style: none; display: grid; gap: 1.25rem; } ol ol { margin-block-start: 1.25rem; padding-inline-start: 1.25rem; border-inline-start: 2px solid var(--l); }
@container (width < 30rem) { ol ol { padding-inline-start: .6rem; } ol ol ol { padding-inline-start: 0; border: 0; } }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; font-size: .9em; } header b { font-weight: 600; } svg { inline-size: 1.75rem; block-size: 1.75rem; border-radius: .35rem; background: var(--s); }
time, .q { color: var(--m); font-size: .9em; } .badge { border: 1px solid var(--l); border-radius: 1em; padding: 0 .5em; font-size: .85em; }
.body { margin-block-start: .35rem; overflow-wrap: anywhere; } .body > * + * { margin-block-start: .6em; } .body pre { overflow-x: auto; background: var(--s); padding: .6rem .8rem; } .body blockquote { margin-inline: 0; padding-inline-start: .8rem; border-inline-start: 3px solid var(--l); } .body ul, .body ol { display: block; list-style: revert; padding-inline-start: 1.4rem; border: 0; margin-block: .6em; } .body img { max-inline-size: 100%; }
a { color: var(--a); } .tools { display: flex; flex-wrap: wrap; gap: .25rem .9rem; margin-block-start: .35rem; font-size: .875em; }
button { font: inherit; min-block-size: 1.75rem; cursor: pointer; color: var(--a); background: none; border: 0; padding: 0 .2em; } .tools > button { text-decoration: underline; text-underline-offset: .2em; } .react button { color: inherit; border: 1px solid transparent; border-radius: 1em; padding: 0 .5em; filter: grayscale(1); } .react button.on { border-color: var(--l); filter: none; }
.form { display: grid; gap: .9rem; border-block-start: 1px solid var(--l); padding-block-start: 1.25rem; } label { display: grid; gap: .25rem; font-weight: 600; font-size: .95em; } label.row { display: flex; gap: .5rem; align-items: center; font-weight: 400; } label small { font-weight: 400; color: var(--m); }
input:not([type=checkbox]), textarea { font: inherit; font-weight: 400; color: inherit; background: transparent; border: 1px solid var(--m); border-radius: .4rem; padding: .5rem .7rem; inline-size: 100%; min-block-size: 2.75rem; } textarea { min-block-size: 7rem; resize: vertical; } input[type=checkbox] { inline-size: 1.5rem; block-size: 1.5rem; margin: 0; }
:focus-visible { outline: 2px solid var(--a); outline-offset: 2px; } .send { justify-self: start; border: 1px solid var(--a); border-radius: .4rem; padding: .5rem 1.1rem; font-weight: 600; min-block-size: 2.75rem; } .note { border: 1px solid var(--l); border-radius: .4rem; padding: .6rem .9rem; background: var(--s); } .bad { font-weight: 600; } .hp { position: absolute; inset-inline-start: -200vw; }
`;
  const host = document.createElement("div");
  const target = set.target && document.querySelector(set.target);
  if (target) target.append(host); else me.after(host);
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  root.append(host.ownerDocument.createElement("section"));
  const box = root.firstChild;
  box.lang = lang;

  const trust = window.trustedTypes ? trustedTypes.createPolicy("bungalow-comments", { createHTML: (s) => s }) : { createHTML: (s) => s };
  const el = (tag, props, ...kids) => {
    const { attrs, ...rest } = props || {}, e = Object.assign(document.createElement(tag), rest);
    for (const k in attrs) e.setAttribute(k, attrs[k]);
    e.append(...kids.filter((k) => k || k === 0));
    return e;
  };
  const api = async (path, method, body) => {
    const res = await fetch(origin + "/api/site/comments" + path, { credentials: "omit", method: method || "GET",
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }) });
    const got = res.status === 204 ? {} : await res.json();
    if (!res.ok) throw Object.assign(new Error(got.message), { got });
    return got;
  };
  const kept = "bungalow-comments " + origin;
  const mine = () => { try { return JSON.parse(localStorage.getItem(kept)) || {}; } catch { return {}; } };
  const keep = (id, token) => {
    const all = mine();
    for (const k in all) if (Date.now() - all[k].at > 900000) delete all[k];
    if (token) all[id] = { token, at: Date.now() }; else delete all[id];
    try { localStorage.setItem(kept, JSON.stringify(all)); } catch {}
  };

  let page = 1, state, list, form, heading, more, solver;
  // The solver of the proof of work is the site's own script.
  const proof = () => (solver ||= new Promise((done, fail) => {
    const s = el("script", { src: origin + "/assets/js/challenge.js", onload: done, onerror: fail });
    document.head.append(s);
  })).then(() => window.bungalow.challenge(origin)).catch(() => ({}));
  let served = null;

  function picture(seed) {
    const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path"), n = parseInt(seed, 16) || 0;
    let d = "";
    for (let i = 0; i < 15; i++) {
      if (!(Math.floor(n / 2 ** i) % 2)) continue;
      const x = Math.floor(i / 5), y = i % 5;
      for (const at of x < 2 ? [x, 4 - x] : [x]) d += `M${at} ${y}h1v1h-1z`;
    }
    path.setAttribute("d", d);
    path.setAttribute("fill", `hsl(${Math.floor(n / 65536) % 360} 45% 48%)`);
    svg.setAttribute("viewBox", "-1 -1 7 7");
    svg.setAttribute("aria-hidden", "true");
    svg.append(path);
    return svg;
  }

  const safe = (url) => /^https?:\/\//.test(url || "");
  function draw(item) {
    const li = el("li", { id: "c-" + item.id });
    if (item.removed) li.append(el("p", { className: "q", textContent: T.removed }));
    else li.append(article(item, li));
    if (item.replies && item.replies.length) li.append(el("ol", {}, ...item.replies.map(draw)));
    if (item.more) li.append(el("button", { type: "button", textContent: T.more, onclick: (e) => branch(item.id, li, e.target) }));
    return li;
  }

  function article(item, li) {
    const body = el("div", { className: "body" });
    body.innerHTML = trust.createHTML(item.html);
    const tools = el("div", { className: "tools" });
    if (state.open && item.created) tools.append(el("button", { type: "button", textContent: T.reply, onclick: () => answer(item, li) }));
    if (mine()[item.id]) own(item, li, body, tools);
    if (item.created) tools.append(reactions(item));
    return el("article", { attrs: { "aria-label": item.author } },
      el("header", {}, picture(item.avatar), el("b", {}, safe(item.url) ? el("a", { href: item.url, rel: "nofollow ugc noopener", textContent: item.author }) : item.author),
        item.badge && el("span", { className: "badge", textContent: T.author }), item.pinned && el("span", { className: "badge", textContent: T.pinned }),
        item.created ? el("time", { dateTime: item.created, textContent: new Date(item.created).toLocaleDateString(lang, { dateStyle: "long" }) }) : el("span", { className: "q", textContent: T.waits }),
        item.edited && el("span", { className: "q", textContent: T.edited })),
      item.mention && el("p", { className: "q", textContent: "@" + item.mention.author }), body, tools);
  }

  function reactions(item) {
    const row = el("span", { className: "react" });
    const show = (counts) => row.replaceChildren(...[...new Set([...state.emoji, ...Object.keys(counts)])].map((k) => el("button", {
      type: "button", className: counts[k] ? "on" : "", textContent: k + (counts[k] ? " " + counts[k] : ""), attrs: { "aria-label": say("react", k) + (counts[k] ? ", " + counts[k] : "") },
      onclick: () => api(`/${item.id}/reactions`, "POST", { reaction: k }).then((r) => show(r.reactions)).catch(() => {}),
    })));
    show(item.reactions || {});
    return row;
  }

  function own(item, li, body, tools) {
    const token = mine()[item.id].token;
    tools.append(el("button", { type: "button", textContent: T.edit, onclick: () => {
      const text = el("textarea", { value: body.innerText, attrs: { "aria-label": T.edit } });
      const f = el("form", { className: "form", onsubmit: async (e) => {
        e.preventDefault();
        try {
          const got = await api("/" + item.id, "PATCH", { edit_token: token, body: text.value });
          body.innerHTML = trust.createHTML(got.html);
          f.replaceWith(body);
        } catch (err) { note(err.message || T.failed, f); }
      } }, text, el("button", { className: "send", textContent: T.save }), el("button", { type: "button", textContent: T.cancel, onclick: () => f.replaceWith(body) }));
      body.replaceWith(f);
      text.focus();
    } }), el("button", { type: "button", textContent: T.del, onclick: async () => {
      try { await api(`/${item.id}?edit_token=${encodeURIComponent(token)}`, "DELETE"); keep(item.id); load(1); } catch (err) { note(err.message, li); }
    } }));
  }

  function note(text, before, good) {
    box.querySelectorAll(".note").forEach((n) => n.remove());
    before.before(el("p", { className: "note", textContent: text, attrs: { role: good ? "status" : "alert" } }));
  }

  function field(name, label, tag, props, hint) {
    const input = el(tag, { name, ...props });
    return el("label", {}, el("span", {}, label, hint && el("small", { textContent: " " + hint })), input);
  }

  function makeForm() {
    form = el("form", { className: "form", onsubmit: submit },
      el("h3", { textContent: T.write }),
      el("div", { className: "hp", attrs: { "aria-hidden": "true" } }, el("input", { name: "_hp", tabIndex: -1, autocomplete: "off" })),
      field("body", T.body, "textarea", { required: true, maxLength: 10000 }),
      field("author", T.name, "input", { required: true, maxLength: 100, autocomplete: "name" }),
      field("email", T.email, "input", { type: "email", maxLength: 254, autocomplete: "email" }, T.optional + ". " + T.hidden),
      el("label", { className: "row" }, el("input", { type: "checkbox", name: "notify", value: "1" }), T.notify),
      el("button", { className: "send", textContent: T.send }));
    form.addEventListener("focusin", () => { served ||= proof(); });
    return form;
  }

  function answer(item, li) {
    form.dataset.parent = item ? item.id : "";
    form.querySelector("h3").textContent = item ? say("to", item.author) : T.write;
    form.querySelector("[data-back]")?.remove();
    if (!item) return box.append(form);
    li.querySelector("article").after(form);
    form.append(el("button", { type: "button", textContent: T.cancel, onclick: () => answer(), attrs: { "data-back": "" } }));
    form.elements.body.focus();
  }

  async function submit(e) {
    e.preventDefault();
    const send = form.querySelector(".send");
    if (send.disabled) return;
    send.disabled = true;
    try {
      const fields = { ...Object.fromEntries(new FormData(form)), thread, parent: form.dataset.parent || "", locale: lang, ...(await (served || proof())) };
      served = null;
      const got = await api("", "POST", fields);
      keep(got.id, got.edit_token);
      form.elements.body.value = "";
      answer();
      if (got.status === "approved") await load(1);
      else list.append(draw({ id: got.id, html: got.html, author: fields.author, replies: [] }));
      note(got.status === "approved" ? T.sent : T.held, form, true);
    } catch (err) {
      const data = (err.got && err.got.data) || {}, first = Object.keys(data)[0];
      note(first ? Object.values(data).map((d) => d.message).join(" ") : err.message || T.failed, form);
      if (first && form.elements[first]) form.elements[first].focus();
    } finally {
      send.disabled = false;
    }
  }

  async function branch(id, li, button) {
    const n = +(button.dataset.page || 2), got = await api(`?thread=${encodeURIComponent(thread)}&root=${id}&page=${n}`);
    let into = li.querySelector(":scope > ol");
    if (!into) button.before(into = el("ol"));
    into.append(...got.items.map(draw));
    button.dataset.page = n + 1;
    if (n * got.perPage >= got.totalItems) button.remove();
  }

  async function load(n) {
    state = await api(`?thread=${encodeURIComponent(thread)}&page=${n}` + (set.sort ? "&sort=" + encodeURIComponent(set.sort) : ""));
    page = n;
    heading.textContent = state.count ? (state.count === 1 ? T.one : say("many", state.count)) : T.title;
    if (n === 1) list.replaceChildren();
    list.append(...state.items.map(draw));
    more.hidden = state.page * state.perPage >= state.totalItems;
  }

  async function start() {
    box.append(heading = el("h2", { textContent: T.title }), list = el("ol"), more = el("button", { type: "button", textContent: T.more, hidden: true, onclick: () => load(page + 1) }));
    try {
      await load(1);
    } catch (err) {
      return note(T.load, more);
    }
    box.append(state.open ? makeForm() : el("p", { className: "q", textContent: T.closed }));
    if (!window.EventSource) return;
    const news = new EventSource(origin + "/api/site/comments/live?thread=" + encodeURIComponent(thread));
    let waiting;
    news.onmessage = () => { if (page === 1 && !root.activeElement) { clearTimeout(waiting); waiting = setTimeout(() => load(1).catch(() => {}), 300); } };
    addEventListener("pagehide", () => news.close());
  }

  // Nothing is loaded before somebody scrolls near.
  const near = () => host.getBoundingClientRect().top < innerHeight + 600;
  if (near() || !window.IntersectionObserver) start();
  else {
    const seen = new IntersectionObserver(() => { if (near()) { seen.disconnect(); start(); } }, { rootMargin: "600px" });
    seen.observe(host);
  }
})();
