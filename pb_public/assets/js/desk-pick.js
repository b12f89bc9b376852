// Fields that take a picture of the library: the picker in a dialog, which uploads too. What the page has without this, a list or a
// file field, goes on holding the value.
(() => {
  const dialog = document.querySelector("[data-pick]"), fields = document.querySelectorAll("[data-pick-field]");
  if (!dialog || !fields.length) return;
  const list = dialog.querySelector("[data-pick-list]"), search = dialog.querySelector("input[type=search]");
  const file = dialog.querySelector("input[type=file]"), state = dialog.querySelector("[role=status]");
  let field, timer;
  const load = async (address) => {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) list.innerHTML = await answer.text();
    state.textContent = answer?.ok ? "" : state.dataset.failed;
  };
  const first = () => load("/desk/media/pick/?q=" + encodeURIComponent(search.value));
  const take = (id, url, name) => {
    const value = field.querySelector("[data-pick-value]"), frame = field.querySelector("[data-pick-frame]"), none = field.querySelector("[data-pick-none]");
    if (id && value.options && ![...value.options].some((o) => o.value === id)) value.append(new Option(name, id));
    value.value = id;
    value.dispatchEvent(new Event("change", { bubbles: true }));
    frame.replaceChildren(...(id ? [Object.assign(new Image(), { src: url, alt: name })] : []));
    if (none) none.hidden = !id;
    dialog.close();
    field.querySelector("[data-pick-open]").focus();
  };
  for (const one of fields) {
    const open = one.querySelector("[data-pick-open]"), none = one.querySelector("[data-pick-none]"), value = one.querySelector("[data-pick-value]");
    open.hidden = false;
    open.addEventListener("click", () => { field = one; first(); dialog.showModal(); });
    if (none) {
      none.hidden = !value.value;
      none.addEventListener("click", () => { field = one; take("", "", ""); });
    }
    one.querySelectorAll("[data-pick-without]").forEach((e) => { e.hidden = true; });
  }
  document.querySelectorAll("[data-pick-search]").forEach((e) => { e.hidden = true; });
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(first, 250); });
  search.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); first(); } });
  file.addEventListener("change", async () => {
    const body = new FormData();
    body.append("file", file.files[0]);
    file.value = "";
    state.textContent = state.dataset.busy;
    const answer = await fetch("/desk/media/upload/", { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    const kept = (await answer?.json().catch(() => null))?.[0];
    state.textContent = kept?.error ?? (kept ? "" : state.dataset.failed);
    if (kept?.id) take(kept.id, kept.thumb || kept.url, kept.name);
  });
  list.addEventListener("click", (e) => {
    const page = e.target.closest("[data-page]"), pick = e.target.closest(".pick");
    if (page) load(page.dataset.page);
    if (pick) take(pick.dataset.id, pick.querySelector("img")?.src ?? pick.dataset.url, pick.dataset.alt || pick.dataset.name);
  });
})();
